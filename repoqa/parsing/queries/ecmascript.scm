; What JavaScript and TypeScript share.

; Functions

(function_declaration name: (_) @name body: (_) @body) @definition.function

(generator_function_declaration name: (_) @name body: (_) @body) @definition.function

(method_definition name: (_) @name body: (_) @body) @definition.function

(export_statement "default" @name value: [
  (arrow_function body: (_) @body)
  (function_expression !name body: (_) @body)
  (generator_function !name body: (_) @body)]) @definition.function

(export_statement value: [
  (function_expression name: (_) @name body: (_) @body)
  (generator_function name: (_) @name body: (_) @body)]) @definition.function

; const f = () => {}
(lexical_declaration (variable_declarator
  name: (identifier) @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)])) @definition.function

(variable_declaration (variable_declarator
  name: (identifier) @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)])) @definition.function

; { key: () => {} }
(pair
  key: [(property_identifier) (string) (private_property_identifier)] @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)]) @definition.function

; f = () => {}, this.f = () => {}
(assignment_expression
  left: [
    (identifier) @name
    (member_expression object: (this) property: (_) @name)]
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)]) @definition.function

; Class.prototype.f = function () {}
((assignment_expression
  left: (member_expression
    object: (member_expression object: (_) @owner property: (_) @prototype)
    property: (_) @name)
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)]) @definition.method
  (#text? @prototype "prototype"))

; exports.f = () => {}, module.exports.f = () => {}
((assignment_expression
  left: (member_expression object: (_) @exports property: (_) @name)
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)]) @definition.function
  (#text? @exports "exports" "module.exports"))

; module.exports = () => {}
((assignment_expression
  left: (member_expression object: (identifier) @module property: (_) @name)
  right: [
    (arrow_function body: (_) @body)
    (function_expression !name body: (_) @body)
    (generator_function !name body: (_) @body)]) @definition.function
  (#text? @module "module")
  (#text? @name "exports")
  (#set! name "module.exports"))

; module.exports = function name() {}
((assignment_expression
  left: (member_expression) @exports
  right: [
    (function_expression name: (_) @name body: (_) @body)
    (generator_function name: (_) @name body: (_) @body)]) @definition.function
  (#text? @exports "module.exports"))

; object.f = () => {}
((assignment_expression
  left: (member_expression
    object: [(identifier) (member_expression)] @owner
    property: (property_identifier) @name)
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)]) @definition.function
  (#not-text? @name "exports"))

; call(function name() {})
(arguments (function_expression name: (_) @name body: (_) @body) @definition.function)

; Classes

(class_declaration name: (_) @name body: (_) @body) @definition.class

(export_statement "default" @name value: (class !name body: (_) @body)) @definition.class

(export_statement value: (class name: (_) @name body: (_) @body)) @definition.class

(lexical_declaration (variable_declarator
  name: (identifier) @name
  value: (class body: (_) @body))) @definition.class

(variable_declaration (variable_declarator
  name: (identifier) @name
  value: (class body: (_) @body))) @definition.class

((assignment_expression
  left: (member_expression) @exports
  right: (class name: (_) @name body: (_) @body)) @definition.class
  (#text? @exports "module.exports"))

((assignment_expression
  left: (member_expression object: (_) @exports property: (_) @name)
  right: (class body: (_) @body)) @definition.class
  (#text? @exports "exports" "module.exports"))

; Variables

(lexical_declaration kind: "const"
  (variable_declarator
    name: [
      (identifier) @name
      (object_pattern [
        (shorthand_property_identifier_pattern) @name
        (pair_pattern value: (identifier) @name)])
      (array_pattern (identifier) @name)]
    value: (_)? @body)) @definition.constant

(lexical_declaration kind: "let"
  (variable_declarator name: (identifier) @name value: (_)? @body)) @definition.variable

(variable_declaration
  (variable_declarator name: (identifier) @name value: (_)? @body)) @definition.variable

[(arrow_function) (function_expression) (generator_function) (class_static_block)] @local

; Documentation, decorators and exports

(comment) @comment

(decorator) @leading

(export_statement "export" @leading)

(export_statement "default" @leading)

; Uses

(call_expression function: [
  (identifier) @reference.call
  (member_expression property: (_) @reference.call)])

(new_expression constructor: [
  (identifier) @reference.call
  (member_expression property: (_) @reference.call)])

(decorator [
  (identifier) @reference.call
  (member_expression property: (_) @reference.call)])

; Imports

(import_statement) @import

(export_statement source: (_)) @import

(import_statement
  (import_clause (identifier) @reference.import)
  source: (string) @module)

(import_statement
  (import_clause (named_imports (import_specifier name: (_) @reference.import)))
  source: (string) @module)

(import_statement
  (import_clause (namespace_import))
  source: (string) @reference.import)

; import "module"
(import_statement . "import" . source: (string) @reference.import)

(export_statement
  (export_clause (export_specifier name: (_) @reference.import))
  source: (string) @module)

(export_statement . "export" . "*" source: (string) @reference.import)

(export_statement (namespace_export) source: (string) @reference.import)

(call_expression
  function: (import)
  arguments: (arguments . (string) @reference.import))

((call_expression
  function: (identifier) @require
  arguments: (arguments . (string) @reference.import .))
  (#text? @require "require"))

; const { name } = require("module")
((variable_declarator
  name: (object_pattern [
    (shorthand_property_identifier_pattern) @reference.import
    (pair_pattern key: (property_identifier) @reference.import)])
  value: (call_expression
    function: (identifier) @require
    arguments: (arguments . (string) @module .)))
  (#text? @require "require"))

(([(lexical_declaration (variable_declarator value: [
     (call_expression function: (identifier) @require)
     (member_expression object: (call_expression function: (identifier) @require))]))
   (variable_declaration (variable_declarator value: [
     (call_expression function: (identifier) @require)
     (member_expression object: (call_expression function: (identifier) @require))]))]) @import
  (#text? @require "require"))
