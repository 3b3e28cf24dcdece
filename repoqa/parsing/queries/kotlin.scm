; Types

((class_declaration
  (modifiers (class_modifier) @modifier)
  name: (_) @name
  (enum_class_body) @body) @definition.type
  (#text? @modifier "enum"))

(class_declaration "interface" name: (_) @name (class_body) @body) @definition.type

(class_declaration "interface" name: (_) @name) @definition.type

(class_declaration name: (_) @name (class_body) @body) @definition.class

(class_declaration name: (_) @name) @definition.class

(object_declaration name: (_) @name (class_body) @body) @definition.class

(object_declaration name: (_) @name) @definition.class

; companion object { ... }: its members go by the name of the class
((companion_object name: (_) @name (class_body) @body) @definition.class
  (#set! qualifies "no"))

((companion_object !name "object" @name (class_body) @body) @definition.class
  (#set! name "Companion") (#set! qualifies "no"))

(type_alias type: (_) @name) @definition.type

; object : Base() { ... }
(object_literal (class_body (function_declaration
  name: (_) @name
  (function_body) @body) @definition.method))

; Functions. An extension is named by its receiver: `String.words`.

(function_declaration
  [(user_type) (nullable_type)] @owner
  .
  name: (_) @name
  (function_body) @body) @definition.function

(function_declaration name: (_) @name (function_body) @body) @definition.function

(function_declaration name: (_) @name) @definition.function

((secondary_constructor (block) @body) @definition.method (#set! name "constructor"))

((secondary_constructor) @definition.method (#set! name "constructor"))

; val f = { ... }
(property_declaration
  (variable_declaration (identifier) @name)
  [(lambda_literal) (anonymous_function)] @body) @definition.function

; Properties, and those that extend a type

(property_declaration
  [(user_type) (nullable_type)] @owner
  .
  (variable_declaration . (identifier) @name)
  [(getter) (setter)] @body) @definition.variable

((property_declaration
  (modifiers (property_modifier) @modifier)
  (variable_declaration . (identifier) @name)
  "=" . (_) @body) @definition.constant
  (#text? @modifier "const"))

(property_declaration
  (variable_declaration . (identifier) @name)
  "=" . (_) @body) @definition.variable

(property_declaration
  (variable_declaration . (identifier) @name)
  [(getter) (setter)] @body) @definition.variable

(property_declaration (variable_declaration . (identifier) @name)) @definition.variable

(property_declaration
  (multi_variable_declaration (variable_declaration . (identifier) @name))) @definition.variable

(class_parameter ["val" "var"] (identifier) @name) @definition.variable

(enum_entry (identifier) @name (class_body)? @body) @definition.constant

[(lambda_literal) (anonymous_function) (anonymous_initializer) (getter) (setter)] @local

; Documentation

[(line_comment) (block_comment)] @comment

; Inheritance

(delegation_specifier [
  (user_type) @base
  (constructor_invocation (user_type) @base)
  (explicit_delegation (user_type) @base)])

; Uses

(call_expression . [
  (identifier) @reference.call
  (navigation_expression (identifier) @reference.call .)
  (unary_expression argument: (identifier) @reference.call)])

(callable_reference (identifier) @reference.call .)

(user_type (identifier) @reference.type)

; Imports

(import) @import

(import (qualified_identifier) @reference.import)
