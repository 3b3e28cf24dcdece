; Functions

(function_declaration name: (_) @name body: (_)? @body) @definition.function

(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @owner
    (generic_type type: (_) @owner)
    (pointer_type (type_identifier) @owner)
    (pointer_type (generic_type type: (_) @owner))]))
  name: (_) @name
  body: (_)? @body) @definition.method

(method_elem name: (_) @name) @definition.method

(var_spec
  name: (_) @name
  value: (expression_list . (func_literal body: (_) @body) .)) @definition.function

; Types

(type_spec name: (_) @name type: [
  (struct_type (field_declaration_list) @body)
  (interface_type "{" @body)]) @definition.type

(type_spec name: (_) @name) @definition.type

(type_alias name: (_) @name) @definition.type

(field_declaration
  name: (_) @name
  type: (struct_type (field_declaration_list) @body)) @definition.variable

(field_declaration name: (_) @name) @definition.variable

; Variables

; (`name:` would find the first of several names alone.)

(const_spec (identifier) @name value: (_) @body) @definition.constant

(const_spec (identifier) @name) @definition.constant

(var_spec name: (identifier) @name value: (_) @body) @definition.variable

(var_spec name: (identifier) @name) @definition.variable

(func_literal) @local

; Documentation

(comment) @comment

; Embedding

(struct_type (field_declaration_list (field_declaration !name type: (_) @base)))

(interface_type (type_elem . [(type_identifier) (qualified_type)] @base .))

; Uses

(call_expression function: [
  (identifier) @reference.call
  (selector_expression field: (_) @reference.call)
  (index_expression operand: (identifier) @reference.call)
  (index_expression operand: (selector_expression field: (_) @reference.call))
  (type_instantiation_expression type: (type_identifier) @reference.call)])

(type_conversion_expression type: (generic_type type: (type_identifier) @reference.call))

(type_identifier) @reference.type

; Imports

(import_declaration) @import

(import_spec path: (_) @reference.import)
