/**
 * A rule of `deno lint`: an assertion in a loop over a table names the row, or a failure would not say which one it is.
 *
 * @module
 */

/** Where an assertion takes its message, counted from 0. */
const MESSAGE: Readonly<Record<string, number>> = {
  ...{ assert: 1, assertExists: 1, assertFalse: 1 },
  ...{ assertEquals: 2, assertNotEquals: 2, assertStrictEquals: 2 },
  ...{ assertMatch: 2, assertNotMatch: 2, assertStringIncludes: 2 },
  ...{ assertGreater: 2, assertLess: 2, assertInstanceOf: 2 },
  ...{ assertThrows: 3, assertRejects: 3 },
};

/** A test of its own, or a step, has a name of its own. */
const TEST = /^(Deno\.test|test|scenario|\w+\.step)$/;

const plugin: Deno.lint.Plugin = {
  name: "tests",
  rules: {
    "row-name": {
      create(context) {
        const { sourceCode } = context;
        return {
          CallExpression(node) {
            const textOf = (of: Deno.lint.Node) => sourceCode.getText(of);
            const name = textOf(node.callee);
            const message = MESSAGE[name];
            const [, second] = node.arguments;
            const { length } = node.arguments;
            if (message === undefined || length > message) return;
            // Without a class of errors, the message is next.
            const ofClass = second && /^[A-Z]\w*$/.test(textOf(second));
            if (message === 3 && length === 2 && !ofClass) return;
            for (const outer of sourceCode.getAncestors(node).reverse()) {
              if (
                outer.type === "CallExpression" &&
                TEST.test(textOf(outer.callee))
              ) return;
              if (outer.type !== "ForOfStatement") continue;
              context.report({
                node,
                message: `${name}() in a loop does not name the row`,
                hint: "Give the row's name, or rowName(…), as its message",
              });
              return;
            }
          },
        };
      },
    },
  },
};
export default plugin;
