; Types

(class_declaration name: (_) @name body: (_) @body) @definition.class

(record_declaration name: (_) @name body: (_) @body) @definition.class

(interface_declaration name: (_) @name body: (_) @body) @definition.type

(enum_declaration name: (_) @name body: (_) @body) @definition.type

(annotation_type_declaration name: (_) @name body: (_) @body) @definition.type

; Members

(method_declaration name: (_) @name body: (_)? @body) @definition.method

(constructor_declaration name: (_) @name body: (_) @body) @definition.method

(compact_constructor_declaration name: (_) @name body: (_) @body) @definition.method

(annotation_type_element_declaration name: (_) @name) @definition.method

(field_declaration
  declarator: (variable_declarator
    name: (_) @name
    value: (lambda_expression body: (_) @body))) @definition.method

(field_declaration
  (modifiers "static" "final")
  declarator: (variable_declarator name: (_) @name value: (_)? @body)) @definition.constant

(field_declaration
  (modifiers "final" "static")
  declarator: (variable_declarator name: (_) @name value: (_)? @body)) @definition.constant

(field_declaration
  declarator: (variable_declarator name: (_) @name value: (_)? @body)) @definition.variable

(constant_declaration
  declarator: (variable_declarator name: (_) @name value: (_)? @body)) @definition.constant

(enum_constant name: (_) @name body: (_)? @body) @definition.constant

[(lambda_expression) (static_initializer)] @local

; Documentation

[(line_comment) (block_comment)] @comment

; Inheritance

(superclass (_) @base)

(super_interfaces (type_list (_) @base))

(extends_interfaces (type_list (_) @base))

; new Base() { ... }
(object_creation_expression
  type: [
    (type_identifier) @reference.base
    (scoped_type_identifier (type_identifier) @reference.base .)
    (generic_type . (type_identifier) @reference.base)]
  (class_body))

; Uses

(method_invocation name: (_) @reference.call)

(object_creation_expression type: [
  (type_identifier) @reference.call
  (scoped_type_identifier (type_identifier) @reference.call .)
  (generic_type . (type_identifier) @reference.call)])

(method_reference (_) "::" (identifier) @reference.call .)

(type_identifier) @reference.type

(marker_annotation name: [
  (identifier) @reference.type
  (scoped_identifier name: (_) @reference.type)])

(annotation name: [
  (identifier) @reference.type
  (scoped_identifier name: (_) @reference.type)])

; Imports

(import_declaration) @import

(import_declaration [(scoped_identifier) (identifier)] @reference.import)
