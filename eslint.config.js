import js from "@eslint/js";

export default [
  { ignores: ["node_modules/", ".venv/", "build/", "data/", "htmlcov/"] },
  js.configs.recommended,
  {
    rules: {
      // The type checker knows the names of the browser.
      "no-undef": "off",
      complexity: ["error", 15],
      curly: "error",
      eqeqeq: "error",
      "max-depth": ["error", 3],
      "max-len": ["error", { code: 120 }],
      "max-lines": ["error", 250],
      "max-params": ["error", 5],
      "no-console": "error",
      "no-implicit-coercion": "error",
      "no-nested-ternary": "error",
      "no-param-reassign": "error",
      "no-shadow": "error",
      "no-use-before-define": ["error", { functions: false }],
      "no-var": "error",
      "object-shorthand": "error",
      "one-var": ["error", "never"],
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
  {
    files: ["tests/**"],
    languageOptions: {
      globals: Object.fromEntries(
        ["Blob", "Event", "EventTarget", "document", "fetch", "setImmediate"].map((name) => [name, "readonly"]),
      ),
    },
    rules: { "no-undef": "error" },
  },
];
