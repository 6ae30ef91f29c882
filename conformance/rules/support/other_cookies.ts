/**
 * The cookies that browsers send beside the session's.
 *
 * @module
 */

/** A cookie, and what is special about it. */
type Other = [what: string, cookie: string];

/** Cookies whose name is almost the session's. */
export function namesakes(name: string, value: string): Other[] {
  const [upper, lower] = [name.toUpperCase(), name.toLowerCase()];
  const names: [what: string, name: string][] = [
    ["whose name begins with the session's", `${name}id`],
    ["whose name begins with the session's and a dot", `${name}.sig`],
    ["whose name ends with the session's", `my-${name}`],
    ["whose name is the session's after a prefix", `__Host-${name}`],
    ["whose name is a part of the session's", name.slice(0, -1) || "s"],
    [
      "whose name is the session's in other letters",
      upper === name ? lower : upper,
    ],
  ];
  return names
    // A name without letters has no other form.
    .filter(([, other]) => other !== name)
    .map(([what, other]) => [what, `${other}=${value}`]);
}

/** Cookies with another name than the session's. */
export function otherCookies(name: string): Other[] {
  const names: Other[] = [
    ["whose name has all legal characters", "!#$%&'*+-.^_`|~"],
    ["whose name is a property of every object", "__proto__"],
    ["whose name is a method of every object", "constructor"],
    ["whose name was reserved once", "$Version"],
  ];
  const values: Other[] = [
    ["whose value is empty", ""],
    ["whose value is quoted", '"dark"'],
    ["whose value has = in it", "a=b=="],
    ["whose value is a pair of the session's name", `${name}=other`],
    ["whose value is not percent-encoded", "100%&%zz"],
    ["whose value has a comma", "a,b"],
    ["whose value is JSON", '{"a":[1,"b"]}'],
    ["whose value has quotes that do not close", 'a"b'],
    ["whose value is not ASCII", "gr\xfc\xdfe"],
  ];
  return [
    ...namesakes(name, "other"),
    ...names.map(([what, other]): Other => [what, `${other}=other`]),
    ...values.map(([what, value], i): Other => [what, `other${i}=${value}`]),
    ["without a name", "alone"],
  ];
}
