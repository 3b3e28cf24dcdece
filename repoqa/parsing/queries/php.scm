; Types

(class_declaration name: (_) @name body: (_) @body) @definition.class

(trait_declaration name: (_) @name body: (_) @body) @definition.type

(interface_declaration name: (_) @name body: (_) @body) @definition.type

(enum_declaration name: (_) @name body: (_) @body) @definition.type

((namespace_definition name: (_) @name body: (_) @body) @definition.module
  (#set! qualifies "no"))

; Functions

(function_definition name: (_) @name body: (_) @body) @definition.function

(method_declaration name: (_) @name body: (_) @body) @definition.method

(method_declaration name: (_) @name) @definition.method

(assignment_expression
  left: (variable_name (name) @name)
  right: [(arrow_function body: (_) @body) (anonymous_function body: (_) @body)]
  ) @definition.function

; Variables

(const_declaration (const_element . (name) @name (_) @body)) @definition.constant

(enum_case name: (_) @name) @definition.constant

((function_call_expression
  function: (name) @define
  arguments: (arguments . (argument (string (string_content) @name)))) @definition.constant
  (#text? @define "define"))

(property_declaration
  (property_element name: (variable_name (name) @name) default_value: (_) @body)
  ) @definition.variable

(property_declaration
  (property_element name: (variable_name (name) @name))) @definition.variable

((property_promotion_parameter name: (variable_name (name) @name)) @definition.variable
  (#set! scope "type"))

(program (expression_statement (assignment_expression
  left: (variable_name (name) @name)
  right: (_) @body) @definition.variable))

[(anonymous_function) (arrow_function)] @local

; Documentation

(comment) @comment

; Inheritance

(base_clause [(name) (qualified_name)] @base)

(class_interface_clause [(name) (qualified_name)] @base)

(use_declaration [(name) (qualified_name)] @base)

; Uses

(function_call_expression function: [
  (name) @reference.call
  (qualified_name (name) @reference.call)])

(member_call_expression name: (name) @reference.call)

(nullsafe_member_call_expression name: (name) @reference.call)

(scoped_call_expression name: (name) @reference.call)

(object_creation_expression [
  (name) @reference.call
  (qualified_name (name) @reference.call)])

(named_type [
  (name) @reference.type
  (qualified_name (name) @reference.type)])

(scoped_call_expression scope: [
  (name) @reference.type
  (qualified_name (name) @reference.type)])

(class_constant_access_expression . [
  (name) @reference.type
  (qualified_name (name) @reference.type)])

(binary_expression operator: "instanceof" right: [
  (name) @reference.type
  (qualified_name (name) @reference.type)])

(attribute [
  (name) @reference.type
  (qualified_name (name) @reference.type)])

; Imports

(namespace_use_declaration) @import

(namespace_use_declaration !body
  (namespace_use_clause . [(name) (qualified_name)] @reference.import))

(namespace_use_declaration
  (namespace_name) @module
  body: (namespace_use_group (namespace_use_clause . [(name) (qualified_name)] @reference.import)))

[
  (expression_statement (require_expression))
  (expression_statement (require_once_expression))
  (expression_statement (include_expression))
  (expression_statement (include_once_expression))
] @import

[
  (require_expression (string (string_content) @reference.import))
  (require_once_expression (string (string_content) @reference.import))
  (include_expression (string (string_content) @reference.import))
  (include_once_expression (string (string_content) @reference.import))
  (require_expression (binary_expression right: (string (string_content) @reference.import)))
  (require_once_expression (binary_expression right: (string (string_content) @reference.import)))
  (include_expression (binary_expression right: (string (string_content) @reference.import)))
  (include_once_expression (binary_expression right: (string (string_content) @reference.import)))
]
