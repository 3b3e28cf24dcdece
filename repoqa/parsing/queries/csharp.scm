; Types

(class_declaration name: (_) @name body: (_) @body) @definition.class

(record_declaration "struct" name: (_) @name body: (_)? @body) @definition.type

(record_declaration name: (_) @name body: (_)? @body) @definition.class

(struct_declaration name: (_) @name body: (_) @body) @definition.type

(interface_declaration name: (_) @name body: (_) @body) @definition.type

(enum_declaration name: (_) @name body: (_) @body) @definition.type

(delegate_declaration name: (_) @name) @definition.type

((namespace_declaration name: (_) @name body: (_) @body) @definition.module
  (#set! qualifies "no"))

; Members

(method_declaration name: (_) @name body: (_) @body) @definition.method

(method_declaration name: (_) @name) @definition.method

(constructor_declaration name: (_) @name body: (_) @body) @definition.method

(destructor_declaration "~" @name name: (_) @name body: (_) @body) @definition.method

(operator_declaration "operator" @name operator: _ @name body: (_) @body) @definition.method

(conversion_operator_declaration
  "operator" @name type: (_) @name body: (_) @body) @definition.method

(indexer_declaration "this" @name accessors: (_) @body) @definition.method

(indexer_declaration "this" @name value: (_) @body) @definition.method

(local_function_statement name: (_) @name body: (_) @body) @definition.function

(property_declaration name: (_) @name accessors: (_) @body) @definition.variable

(property_declaration name: (_) @name value: (_) @body) @definition.variable

(event_declaration name: (_) @name accessors: (_) @body) @definition.variable

(event_field_declaration
  (variable_declaration (variable_declarator name: (_) @name))) @definition.variable

(field_declaration
  (variable_declaration (variable_declarator
    name: (_) @name
    (lambda_expression body: (_) @body)))) @definition.function

((field_declaration
  (modifier) @modifier
  (variable_declaration (variable_declarator name: (_) @name "=" (_) @body))) @definition.constant
  (#text? @modifier "const"))

(field_declaration
  (variable_declaration (variable_declarator name: (_) @name "=" (_) @body))) @definition.variable

(field_declaration
  (variable_declaration (variable_declarator name: (_) @name))) @definition.variable

(enum_member_declaration name: (_) @name) @definition.constant

[(lambda_expression) (anonymous_method_expression)] @local

; Documentation

(comment) @comment

; Inheritance

(base_list [
  (identifier) @base
  (generic_name) @base
  (qualified_name) @base
  (primary_constructor_base_type type: (_) @base)])

; Uses

(invocation_expression function: [
  (identifier) @reference.call
  (generic_name . (identifier) @reference.call)
  (member_access_expression name: (identifier) @reference.call)
  (member_access_expression name: (generic_name . (identifier) @reference.call))
  (conditional_access_expression (member_binding_expression name: (identifier) @reference.call))])

(object_creation_expression type: [
  (identifier) @reference.call
  (generic_name . (identifier) @reference.call)
  (qualified_name name: (identifier) @reference.call)
  (qualified_name name: (generic_name . (identifier) @reference.call))])

(generic_name . (identifier) @reference.type)

(type_argument_list (identifier) @reference.type)

(parameter type: (identifier) @reference.type)

(variable_declaration type: (identifier) @reference.type)

(property_declaration type: (identifier) @reference.type)

(method_declaration returns: (identifier) @reference.type)

(array_type type: (identifier) @reference.type)

(nullable_type (identifier) @reference.type)

(tuple_element type: (identifier) @reference.type)

(conversion_operator_declaration type: (identifier) @reference.type)

(cast_expression type: (identifier) @reference.type)

(catch_declaration type: (identifier) @reference.type)

(typeof_expression type: (identifier) @reference.type)

(type_parameter_constraint type: (identifier) @reference.type)

(attribute name: (_) @reference.type)

; Imports

(using_directive) @import

(using_directive !name [(identifier) (qualified_name)] @reference.import)

(using_directive name: (_) (qualified_name) @reference.import)
