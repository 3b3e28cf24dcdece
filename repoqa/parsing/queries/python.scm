; Definitions

(class_definition
  name: (identifier) @name
  body: (block) @body) @definition.class

(function_definition
  name: (identifier) @name
  body: (block) @body) @definition.function

(assignment
  left: (identifier) @name
  right: (lambda) @body) @definition.function

; Variables of the module and of classes, also where a condition or a `try` stands around them.
; (Capturing every assignment to drop the local ones later costs a tenth of the time of a Python
; file, and each further pattern that starts at `module` as much: it stays open to the last line.)

(module (expression_statement (assignment
  left: [(identifier) @name (pattern_list (identifier) @name)]
  right: (_)? @body) @definition.variable))

((class_definition body: (block (expression_statement (assignment
  left: [(identifier) @name (pattern_list (identifier) @name)]
  right: (_)? @body) @definition.constant)))
  (#upper? @name))

(class_definition body: (block (expression_statement (assignment
  left: [(identifier) @name (pattern_list (identifier) @name)]
  right: (_)? @body) @definition.variable)))

; x = y = 1
(module (expression_statement (assignment
  right: (assignment left: (identifier) @name)) @definition.variable))

(if_statement (block (expression_statement (assignment
  left: (identifier) @name
  right: (_)? @body) @definition.variable)))

(else_clause (block (expression_statement (assignment
  left: (identifier) @name
  right: (_)? @body) @definition.variable)))

(try_statement (block (expression_statement (assignment
  left: (identifier) @name
  right: (_)? @body) @definition.variable)))

(except_clause (block (expression_statement (assignment
  left: (identifier) @name
  right: (_)? @body) @definition.variable)))

(type_alias_statement
  left: (type [(identifier) @name (generic_type . (identifier) @name)])) @definition.type

(lambda) @local

; Documentation and decorators

(class_definition body: (block . (comment)* . (expression_statement . (string) @doc .)))

(function_definition body: (block . (comment)* . (expression_statement . (string) @doc .)))

(comment) @comment

(decorator) @leading

; Inheritance

(class_definition
  superclasses: (argument_list [(identifier) (attribute) (subscript)] @base))

; Uses

(call function: [
  (identifier) @reference.call
  (attribute attribute: (identifier) @reference.call)])

(decorator [
  (identifier) @reference.call
  (attribute attribute: (identifier) @reference.call)])

(type [
  (identifier) @reference.type
  (attribute attribute: (identifier) @reference.type)
  (generic_type . (identifier) @reference.type)
  (subscript value: (identifier) @reference.type)
  (subscript value: (attribute attribute: (identifier) @reference.type))])

; A | B | c.D
(type (binary_operator [
  (identifier) @reference.type
  (attribute attribute: (identifier) @reference.type)
  (subscript value: (identifier) @reference.type)
  (subscript value: (attribute attribute: (identifier) @reference.type))
  (binary_operator [
    (identifier) @reference.type
    (attribute attribute: (identifier) @reference.type)
    (subscript value: (identifier) @reference.type)
    (subscript value: (attribute attribute: (identifier) @reference.type))
    (binary_operator (identifier) @reference.type)])]))

; A | dict[str, list[B]]: what stands in brackets is an expression there
(type (binary_operator [
  (subscript subscript: [
    (identifier) @reference.type
    (attribute attribute: (identifier) @reference.type)
    (list (identifier) @reference.type)
    (subscript
      value: (identifier) @reference.type
      subscript: (identifier)? @reference.type)])
  (binary_operator (subscript subscript: [
    (identifier) @reference.type
    (attribute attribute: (identifier) @reference.type)
    (list (identifier) @reference.type)
    (subscript
      value: (identifier) @reference.type
      subscript: (identifier)? @reference.type)]))]))

; tuple[A, *B], Callable[[A, m.B, list[C]], D]
(type (splat_type (identifier) @reference.type))

(type (list [
  (identifier) @reference.type
  (attribute attribute: (identifier) @reference.type)
  (subscript
    value: (identifier) @reference.type
    subscript: (identifier)? @reference.type)]))

(except_clause [
  (identifier) @reference.type
  (attribute attribute: (identifier) @reference.type)
  (tuple (identifier) @reference.type)
  (tuple (attribute attribute: (identifier) @reference.type))
  (as_pattern . (identifier) @reference.type)
  (as_pattern . (attribute attribute: (identifier) @reference.type))
  (as_pattern . (tuple (identifier) @reference.type))
  (as_pattern . (tuple (attribute attribute: (identifier) @reference.type)))])

(raise_statement [
  (identifier) @reference.type
  (attribute attribute: (identifier) @reference.type)])

; Imports

(import_statement) @import

(import_from_statement) @import

(future_import_statement) @import

(import_statement name: [
  (dotted_name) @reference.import
  (aliased_import name: (dotted_name) @reference.import)])

(import_from_statement
  module_name: (_) @module
  name: [
    (dotted_name) @reference.import
    (aliased_import name: (dotted_name) @reference.import)])

(import_from_statement
  module_name: (_) @reference.import
  (wildcard_import))
