; Types

(class_declaration
  declaration_kind: ["class" "actor"]
  name: (_) @name
  body: (_) @body) @definition.class

; struct, enum, and an extension under the name of what it extends
(class_declaration name: (_) @name body: (_) @body) @definition.type

(protocol_declaration name: (_) @name body: (_) @body) @definition.type

(typealias_declaration . (modifiers)? . "typealias" . name: (_) @name) @definition.type

(associatedtype_declaration . (modifiers)? . "associatedtype" . name: (_) @name) @definition.type

; Functions

(function_declaration "func" . name: _ @name body: (_) @body) @definition.function

(protocol_function_declaration "func" . name: _ @name) @definition.function

((init_declaration body: (_) @body) @definition.function (#set! name "init"))

((init_declaration) @definition.function (#set! name "init"))

((deinit_declaration body: (_) @body) @definition.function (#set! name "deinit"))

((subscript_declaration (computed_property) @body) @definition.function
  (#set! name "subscript"))

(macro_declaration . (modifiers)? . "macro" . (simple_identifier) @name) @definition.function

; Properties

(property_declaration
  name: (pattern bound_identifier: (_) @name)
  value: (lambda_literal) @body) @definition.function

(property_declaration
  name: (pattern bound_identifier: (_) @name)
  computed_value: (_) @body) @definition.variable

(property_declaration
  name: (pattern bound_identifier: (_) @name)
  . (type_annotation)?
  . value: (_) @body) @definition.variable

(property_declaration name: (pattern bound_identifier: (_) @name)) @definition.variable

; let (a, b) = ...
(property_declaration name: (pattern (pattern (simple_identifier) @name))) @definition.variable

(protocol_property_declaration
  name: (pattern bound_identifier: (_) @name)) @definition.variable

(enum_entry name: (_) @name) @definition.constant

[(lambda_literal) (computed_property) (willset_didset_block)] @local

; Documentation

[(comment) (multiline_comment)] @comment

; Inheritance

(inheritance_specifier inherits_from: (_) @base)

; Uses

(call_expression . [
  (simple_identifier) @reference.call
  (prefix_expression target: (simple_identifier) @reference.call)
  (navigation_expression suffix: (navigation_suffix suffix: (simple_identifier) @reference.call))])

; Store<Item>()
(constructor_expression constructed_type: (user_type (type_identifier) @reference.call .))

(constructor_expression
  constructed_type: (user_type (type_identifier) @reference.call . (type_arguments)))

(type_identifier) @reference.type

; Imports

(import_declaration) @import

(import_declaration (identifier) @reference.import)
