; Types

(class_definition name: (_) @name body: (_) @body) @definition.class

(class_definition name: (_) @name) @definition.class

(object_definition name: (_) @name body: (_) @body) @definition.class

(object_definition name: (_) @name) @definition.class

(trait_definition name: (_) @name body: (_) @body) @definition.type

(trait_definition name: (_) @name) @definition.type

(enum_definition name: (_) @name body: (_) @body) @definition.type

(type_definition name: (_) @name) @definition.type

(package_object name: (_) @name body: (_) @body) @definition.module

; Functions. An extension is named by its receiver: `String.words`.

(extension_definition
  parameters: (parameters . (parameter type: (_) @owner))
  body: (function_definition name: (_) @name body: (_) @body) @definition.function)

(extension_definition
  parameters: (parameters . (parameter type: (_) @owner))
  body: "{"
  (function_definition name: (_) @name body: (_) @body) @definition.function)

(function_definition name: (_) @name body: (_) @body) @definition.function

(function_declaration name: (_) @name) @definition.function

[
  (val_definition pattern: (identifier) @name value: (lambda_expression (_) @body .))
  (var_definition pattern: (identifier) @name value: (lambda_expression (_) @body .))
] @definition.function

; Values

[
  (val_definition pattern: [
    (identifier) @name
    (identifiers (identifier) @name)
    (tuple_pattern (identifier) @name)]
    value: (_) @body)
  (var_definition pattern: [
    (identifier) @name
    (identifiers (identifier) @name)
    (tuple_pattern (identifier) @name)]
    value: (_) @body)
] @definition.variable

[
  (val_declaration name: (_) @name)
  (var_declaration name: (_) @name)
] @definition.variable

(given_definition name: (_) @name body: (_) @body) @definition.variable

(class_parameter ["val" "var"] name: (_) @name) @definition.variable

(class_definition "case" class_parameters: (class_parameters
  (class_parameter name: (_) @name) @definition.variable))

[
  (simple_enum_case name: (_) @name)
  (full_enum_case name: (_) @name)
] @definition.constant

[(lambda_expression) (case_block)] @local

; val x = { val y = 1; y }
(val_definition value: (block) @local)

(var_definition value: (block) @local)

; Documentation

[(comment) (block_comment)] @comment

; Inheritance

(extends_clause
  [(type_identifier) (generic_type) (stable_type_identifier) (compound_type)] @base)

; Uses

(call_expression function: [
  (identifier) @reference.call
  (field_expression field: (_) @reference.call)
  (generic_function function: (identifier) @reference.call)
  (generic_function function: (field_expression field: (_) @reference.call))])

(instance_expression . [
  (type_identifier) @reference.call
  (generic_type type: (type_identifier) @reference.call)
  (stable_type_identifier (type_identifier) @reference.call .)])

(type_identifier) @reference.type

; Imports

(import_declaration) @import

(import_declaration . (identifier) @reference.import .)

(import_declaration
  ((identifier) @module ".")+
  . [(identifier) (namespace_wildcard)] @reference.import .)

(import_declaration
  ((identifier) @module ".")+
  (namespace_selectors [
    (identifier) @reference.import
    (arrow_renamed_identifier name: (_) @reference.import)
    (as_renamed_identifier name: (_) @reference.import)
    (namespace_wildcard) @reference.import]))
