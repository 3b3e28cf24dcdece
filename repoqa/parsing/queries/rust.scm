; Functions

(function_item name: (_) @name body: (_) @body) @definition.function

(function_signature_item name: (_) @name) @definition.function

(macro_definition name: (_) @name . (_) @body) @definition.function

(let_declaration
  pattern: (identifier) @name
  value: (closure_expression body: (_) @body)) @definition.function

; Types. An `impl` block is a type's second half, under the type's name.

(struct_item name: (_) @name body: (field_declaration_list) @body) @definition.type

(struct_item name: (_) @name) @definition.type

(enum_item name: (_) @name body: (_) @body) @definition.type

(union_item name: (_) @name body: (_) @body) @definition.type

(trait_item name: (_) @name body: (_) @body) @definition.type

(impl_item type: (_) @name body: (_) @body) @definition.type

(type_item name: (_) @name) @definition.type

(associated_type name: (_) @name) @definition.type

(mod_item name: (_) @name body: (_) @body) @definition.module

; Variables

(const_item name: (_) @name value: (_) @body) @definition.constant

(const_item name: (_) @name) @definition.constant

(static_item name: (_) @name value: (_)? @body) @definition.variable

(enum_variant name: (_) @name) @definition.constant

(field_declaration name: (_) @name) @definition.variable

(closure_expression) @local

; Documentation and attributes

[(line_comment) (block_comment)] @comment

(attribute_item) @leading

; Inheritance

(impl_item trait: (_) @base)

(trait_item bounds: (trait_bounds
  [(type_identifier) (scoped_type_identifier) (generic_type)] @base))

(trait_item bounds: (trait_bounds (higher_ranked_trait_bound type: (_) @base)))

; Uses

(call_expression function: [
  (identifier) @reference.call
  (scoped_identifier name: (_) @reference.call)
  (field_expression field: (field_identifier) @reference.call)
  (generic_function function: [
    (identifier) @reference.call
    (scoped_identifier name: (_) @reference.call)
    (field_expression field: (field_identifier) @reference.call)])])

(macro_invocation macro: [
  (identifier) @reference.call
  (scoped_identifier name: (_) @reference.call)])

(type_identifier) @reference.type

; Type::function, Enum::Variant
((scoped_identifier path: (identifier) @reference.type) (#capitalized? @reference.type))

; Imports

(use_declaration) @import

(mod_item name: (_) ";") @import

(extern_crate_declaration) @import

(extern_crate_declaration name: (_) @reference.import)

; use {a::b, c}
(use_declaration argument: (use_list [(identifier) (scoped_identifier)] @reference.import))

(mod_item name: (_) @reference.import ";")

(use_declaration argument: [
  (identifier) @reference.import
  (scoped_identifier) @reference.import
  (use_as_clause path: (_) @reference.import)
  (use_wildcard (_) @reference.import)])

(use_declaration argument: (scoped_use_list
  path: (_) @module
  list: (use_list [
    (identifier) @reference.import
    (scoped_identifier) @reference.import
    (use_as_clause path: [(identifier) (scoped_identifier)] @reference.import)
    (use_wildcard (_) @reference.import)])))

(use_declaration argument: (scoped_use_list
  path: (_) @module
  list: (use_list (scoped_use_list
    path: (_) @module
    list: (use_list [
      (identifier) @reference.import
      (scoped_identifier) @reference.import
      (use_as_clause path: [(identifier) (scoped_identifier)] @reference.import)
      (use_wildcard (_) @reference.import)])))))

(use_declaration argument: (scoped_use_list
  path: (_) @module
  list: (use_list (scoped_use_list
    path: (_) @module
    list: (use_list (scoped_use_list
      path: (_) @module
      list: (use_list [
        (identifier) @reference.import
        (scoped_identifier) @reference.import
        (use_as_clause path: [(identifier) (scoped_identifier)] @reference.import)])))))))

; use a::b::{self}
(use_declaration argument: (scoped_use_list path: (_) @reference.import
  list: (use_list [(self) (use_as_clause path: (self))])))

(use_declaration argument: (scoped_use_list
  path: (_) @module
  list: (use_list (scoped_use_list
    path: (_) @reference.import
    list: (use_list [(self) (use_as_clause path: (self))])))))
