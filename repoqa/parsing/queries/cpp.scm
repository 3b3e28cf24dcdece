; What C++ adds to C.

; Functions

(function_definition
  declarator: [
    (function_declarator declarator: [
      (field_identifier) (destructor_name) (operator_name) (template_function)] @name)
    (reference_declarator (function_declarator declarator: [
      (identifier) (field_identifier) (operator_name)] @name))
    (pointer_declarator declarator: (function_declarator declarator: [
      (field_identifier) (operator_name)] @name))]
  body: (_)? @body) @definition.function

; = default, = delete
(function_definition
  declarator: (function_declarator declarator: (identifier) @name)
  !body) @definition.function

(function_definition
  declarator: [
    (function_declarator declarator: (qualified_identifier) @name)
    (reference_declarator (function_declarator declarator: (qualified_identifier) @name))
    (pointer_declarator declarator: (function_declarator declarator: (qualified_identifier) @name))
    (pointer_declarator declarator: (pointer_declarator
      declarator: (function_declarator declarator: (qualified_identifier) @name)))]
  body: (_)? @body) @definition.method

(function_definition
  declarator: (operator_cast "operator" @name type: (_) @name)
  body: (_)? @body) @definition.function

(function_definition
  declarator: (qualified_identifier
    scope: (_) @owner
    name: (operator_cast "operator" @name type: (_) @name))
  body: (_)? @body) @definition.method

((declaration
  declarator: [
    (function_declarator declarator: [(destructor_name) (operator_name)] @name)
    (reference_declarator (function_declarator declarator: [
      (identifier) (operator_name)] @name))]) @definition.function
  (#set! scope "file"))

(declaration
  declarator: (operator_cast "operator" @name type: (_) @name)) @definition.function

(field_declaration
  declarator: [
    (function_declarator declarator: [(field_identifier) (operator_name)] @name)
    (reference_declarator (function_declarator declarator: [
      (field_identifier) (operator_name)] @name))
    (pointer_declarator declarator: (function_declarator declarator: [
      (field_identifier) (operator_name)] @name))
    (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator
      declarator: (field_identifier) @name)))]) @definition.function

(field_declaration
  declarator: (operator_cast "operator" @name type: (_) @name)) @definition.function

(init_declarator
  declarator: (identifier) @name
  value: (lambda_expression body: (_) @body)) @definition.function

; Types

(class_specifier name: (_) @name body: (_) @body) @definition.class

(enum_specifier ["class" "struct"] name: (_) @name body: (_) @body) @definition.type

(alias_declaration name: (_) @name) @definition.type

(concept_definition name: (_) @name) @definition.type

((namespace_definition name: (_) @name body: (_) @body) @definition.module
  (#set! qualifies "no"))

; Variables

((declaration
  (type_qualifier) @qualifier
  declarator: (init_declarator
    declarator: (qualified_identifier) @name
    value: (_) @body)) @definition.constant
  (#text? @qualifier "const" "constexpr"))

(declaration
  declarator: [
    (reference_declarator (identifier) @name)
    (init_declarator declarator: (reference_declarator (identifier) @name) value: (_) @body)
    (init_declarator declarator: (qualified_identifier) @name value: (_) @body)
    (init_declarator
      declarator: (array_declarator declarator: (qualified_identifier) @name)
      value: (_) @body)]
  ) @definition.variable

((field_declaration
  (type_qualifier) @qualifier
  declarator: (field_identifier) @name
  default_value: (_) @body) @definition.constant
  (#text? @qualifier "constexpr"))

(field_declaration
  declarator: (reference_declarator (field_identifier) @name)) @definition.variable

(lambda_expression) @local

; Before a definition

(template_declaration "template" @leading parameters: (_) @leading)

(template_declaration (requires_clause) @leading)

; Inheritance

(base_class_clause [(type_identifier) (qualified_identifier) (template_type)] @base)

; Uses

(call_expression function: [
  (qualified_identifier) @reference.call
  (template_function name: (_) @reference.call)
  (field_expression field: (template_method name: (_) @reference.call))])

(new_expression type: [
  (type_identifier) @reference.call
  (template_type name: (_) @reference.call)
  (qualified_identifier) @reference.call])

; Imports

(using_declaration) @import

(using_declaration [(identifier) (qualified_identifier)] @reference.import)
