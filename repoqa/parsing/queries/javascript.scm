; What JavaScript's grammar has otherwise than TypeScript's.

(field_definition
  property: (_) @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)]) @definition.function

(field_definition property: (_) @name value: (_)? @body) @definition.variable

(class_heritage [(identifier) (member_expression)] @base)

; extends mixin(Base)
(class_heritage (call_expression arguments: (arguments (identifier) @base)))
