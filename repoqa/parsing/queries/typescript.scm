; What TypeScript adds, or has otherwise.

; Classes and types

(abstract_class_declaration name: (_) @name body: (_) @body) @definition.class

(interface_declaration name: (_) @name body: (_) @body) @definition.type

(type_alias_declaration name: (_) @name value: (_) @body) @definition.type

(enum_declaration name: (_) @name body: (_) @body) @definition.type

(internal_module name: (_) @name body: (_) @body) @definition.module

(module name: (_) @name body: (_) @body) @definition.module

; await f<T>(): the grammar takes `await f` for the function
(call_expression function: (await_expression [
  (identifier) @reference.call
  (member_expression property: (_) @reference.call)]))

; Functions without a body

(function_signature name: (_) @name) @definition.function

(method_signature name: (_) @name) @definition.function

(abstract_method_signature name: (_) @name) @definition.function

; Members

(public_field_definition
  name: (_) @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)]) @definition.function

(public_field_definition name: (_) @name value: (_)? @body) @definition.variable

; constructor(private name: string)
((required_parameter (accessibility_modifier) pattern: (identifier) @name) @definition.variable
  (#set! scope "type"))

((optional_parameter (accessibility_modifier) pattern: (identifier) @name) @definition.variable
  (#set! scope "type"))

(interface_body (property_signature name: (_) @name) @definition.variable)

(enum_body name: (_) @name @definition.constant)

(enum_assignment name: (_) @name) @definition.constant

; Before a definition

(ambient_declaration "declare" @leading)

; Inheritance

(extends_clause value: [(identifier) (member_expression)] @base)

(extends_clause value: (call_expression arguments: (arguments (identifier) @base)))

(implements_clause (_) @base)

(extends_type_clause (_) @base)

; Uses

(type_identifier) @reference.type

; import name = require("module")
(import_require_clause source: (string) @reference.import)
