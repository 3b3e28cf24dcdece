; What C and C++ share. Prototypes and variables inside functions are dropped by their scope.

; Functions

(function_definition
  declarator: [
    (function_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))
    (pointer_declarator declarator: (pointer_declarator
      declarator: (function_declarator declarator: (identifier) @name)))]
  body: (_) @body) @definition.function

((declaration
  declarator: [
    (function_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))
    (pointer_declarator declarator: (pointer_declarator
      declarator: (function_declarator declarator: (identifier) @name)))]) @definition.function
  (#set! scope "file"))

(preproc_function_def name: (_) @name value: (_) @body) @definition.function

(preproc_function_def name: (_) @name) @definition.function

; Types

(struct_specifier name: (_) @name body: (_) @body) @definition.type

(union_specifier name: (_) @name body: (_) @body) @definition.type

; A name inside a plain enum is used without the enum's own.
((enum_specifier . "enum" . name: (_) @name body: (_) @body) @definition.type
  (#set! qualifies "no"))

(enumerator name: (_) @name value: (_) @body) @definition.constant

(enumerator name: (_) @name) @definition.constant

((type_definition
  type: [
    (struct_specifier name: (_) body: (_) @body)
    (union_specifier name: (_) body: (_) @body)]
  declarator: [
    (type_identifier) @name
    (pointer_declarator declarator: (type_identifier) @name)]) @definition.type
  (#set! qualifies "no"))

(type_definition
  type: [(struct_specifier !name body: (_) @body) (union_specifier !name body: (_) @body)]
  declarator: [
    (type_identifier) @name
    (pointer_declarator declarator: (type_identifier) @name)]) @definition.type

((type_definition
  type: (enum_specifier body: (_) @body)
  declarator: (type_identifier) @name) @definition.type
  (#set! qualifies "no"))

(type_definition
  declarator: [
    (type_identifier) @name
    (pointer_declarator declarator: (type_identifier) @name)
    (array_declarator declarator: (type_identifier) @name)
    (function_declarator declarator: (type_identifier) @name)
    (function_declarator declarator: (parenthesized_declarator
      (pointer_declarator declarator: (type_identifier) @name)))]) @definition.type

; Variables

; static const struct { ... } names[] = { ... };
((declaration
  (type_qualifier) @qualifier
  type: [(struct_specifier !name body: (_) @body) (union_specifier !name body: (_) @body)]
  declarator: (init_declarator declarator: [
    (identifier) @name
    (array_declarator declarator: (identifier) @name)])) @definition.constant
  (#text? @qualifier "const" "constexpr"))

((declaration
  (type_qualifier) @qualifier
  declarator: [
    (init_declarator declarator: (identifier) @name value: (_) @body)
    (init_declarator
      declarator: (array_declarator declarator: (identifier) @name)
      value: (_) @body)]) @definition.constant
  (#text? @qualifier "const" "constexpr"))

; struct type { ... } name; the type is not the variable's
((declaration
  type: [
    (struct_specifier name: (_) body: (_))
    (union_specifier name: (_) body: (_))
    (enum_specifier body: (_))]
  declarator: [
    (identifier) @name
    (pointer_declarator declarator: (identifier) @name)
    (array_declarator declarator: (identifier) @name)
    (init_declarator declarator: (identifier) @name)
    (init_declarator declarator: (array_declarator declarator: (identifier) @name))]
  ) @definition.variable
  (#set! qualifies "no"))

((field_declaration
  type: [
    (struct_specifier name: (_) body: (_))
    (union_specifier name: (_) body: (_))
    (enum_specifier body: (_))]
  declarator: [
    (field_identifier) @name
    (pointer_declarator declarator: (field_identifier) @name)
    (array_declarator declarator: (field_identifier) @name)]) @definition.variable
  (#set! qualifies "no"))

; struct { ... } name;
(declaration
  type: [(struct_specifier body: (_) @body) (union_specifier body: (_) @body)]
  declarator: [
    (identifier) @name
    (array_declarator declarator: (identifier) @name)]) @definition.variable

(declaration
  type: [(struct_specifier !name body: (_) @body) (union_specifier !name body: (_) @body)]
  declarator: (init_declarator declarator: [
    (identifier) @name
    (array_declarator declarator: (identifier) @name)])) @definition.variable

(field_declaration
  type: [(struct_specifier body: (_) @body) (union_specifier body: (_) @body)]
  declarator: [
    (field_identifier) @name
    (array_declarator declarator: (field_identifier) @name)]) @definition.variable

(declaration
  declarator: [
    (identifier) @name
    (pointer_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (pointer_declarator declarator: (identifier) @name))
    (array_declarator declarator: (identifier) @name)
    (pointer_declarator declarator: (array_declarator declarator: (identifier) @name))
    (init_declarator declarator: [
      (identifier) @name
      (pointer_declarator declarator: (identifier) @name)
      (pointer_declarator declarator: (pointer_declarator declarator: (identifier) @name))
      (array_declarator declarator: (identifier) @name)
      (array_declarator declarator: (array_declarator declarator: (identifier) @name))
      (pointer_declarator declarator: (array_declarator declarator: (identifier) @name))]
      value: (_) @body)
    (function_declarator declarator: (parenthesized_declarator
      (pointer_declarator declarator: (identifier) @name)))]) @definition.variable

(field_declaration
  declarator: [
    (field_identifier) @name
    (pointer_declarator declarator: (field_identifier) @name)
    (pointer_declarator declarator: (pointer_declarator declarator: (field_identifier) @name))
    (array_declarator declarator: (field_identifier) @name)
    (array_declarator declarator: (array_declarator declarator: (field_identifier) @name))
    (pointer_declarator declarator: (array_declarator declarator: (field_identifier) @name))
    (function_declarator declarator: (parenthesized_declarator
      (pointer_declarator declarator: (field_identifier) @name)))]) @definition.variable

; A macro without a value guards a header.
(preproc_def name: (_) @name value: (_) @body) @definition.constant

; Documentation

(comment) @comment

; Uses

(call_expression function: [
  (identifier) @reference.call
  (field_expression field: (field_identifier) @reference.call)])

(type_identifier) @reference.type

; Imports

(preproc_include) @import

(preproc_include path: [(string_literal) (system_lib_string)] @reference.import)
