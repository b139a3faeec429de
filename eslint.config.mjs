import { builtinModules } from "node:module";
import tseslint from "typescript-eslint";
import importX from "eslint-plugin-import-x";

/**
 * Dependencies point one way: `extension -> kernel-bridge, client -> protocol <- services/*`. A service never imports another, and the
 * client reaches the services only through the protocol. Each entry says which folder may not import what, and why.
 */
const noEditor = { regex: "^vscode$|/extension/src", message: "Only extension/ knows the editor: all else runs without one." };
const borders = [
  {
    files: ["protocol/src/**/*.ts"],
    patterns: [
      {
        regex: "^(burla|@burla/(main|node|worker))|^\\.\\./\\.\\./(client|services)",
        message: "protocol/ is what every part agrees on: it may depend on no other folder.",
      },
      noEditor,
    ],
  },
  {
    files: ["queue/src/**/*.ts"],
    patterns: [
      {
        regex: "^(burla|@burla/(main|node|worker))$|^\\.\\./\\.\\./(client|services)",
        message: "queue/ lies above the protocol and beneath the client, main and the nodes: it may depend on none of them.",
      },
      noEditor,
    ],
  },
  {
    files: ["client/src/**/*.ts"],
    patterns: [
      {
        regex: "^@burla/(main|node|worker)|services/(main|node|worker)/",
        message: "The client reaches services only through the protocol: it starts main as a program, never as an import.",
      },
      noEditor,
    ],
  },
  {
    files: ["kernel-bridge/src/**/*.ts"],
    patterns: [
      {
        regex: "^@burla/(main|node|worker)|services/(main|node|worker)/",
        message: "The kernel bridge reaches services only through the client and the protocol.",
      },
      noEditor,
    ],
  },
  {
    files: ["extension/src/**/*.ts", "extension/webview/**/*.ts"],
    patterns: [
      {
        regex: "^@burla/(main|node|worker)|services/(main|node|worker)/",
        message: "The extension reaches services only through the client and the protocol.",
      },
    ],
  },
  ...["main", "node", "worker"].map((service) => ({
    files: [`services/${service}/src/**/*.ts`],
    patterns: [
      {
        regex: `^burla$|^@burla/(?!protocol|queue|${service})|services/(?!${service})|client/src`,
        message: "A service never imports another service or the client: they meet in the protocol.",
      },
      noEditor,
    ],
  })),
];

export default tseslint.config(
  { ignores: ["**/node_modules/**", "**/dist/**", "**/cases/**", "test/**/workspace/**", "bench/.venv/**", ".cache/**", "examples/out/**"] },
  ...tseslint.configs.strict,
  {
    files: ["**/*.ts", "**/*.mts"],
    languageOptions: { parserOptions: { project: ["./tsconfig.json", "./extension/webview/tsconfig.json"] } },
    plugins: { "import-x": importX },
    settings: { "import-x/resolver": { typescript: true, node: { extensions: [".ts", ".js", ".mjs"] } } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrors: "none" }],
      "import-x/no-cycle": ["error", { ignoreExternal: true }],
      "no-console": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
    },
  },
  ...borders.map(({ files, patterns }) => ({ files, rules: { "no-restricted-imports": ["error", { patterns }] } })),
  {
    files: ["**/*.test.ts", "scripts/**/*.ts", "test/**/*.ts", "bench/**/*.ts", "examples/**/*.ts"],
    rules: {
      "no-console": "off",
      "@typescript-eslint/no-floating-promises": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  {
    files: ["**/*.mjs", "**/*.cjs"],
    rules: { "@typescript-eslint/no-require-imports": "off" },
    languageOptions: { globals: Object.fromEntries([...builtinModules, "process", "console", "URL", "Buffer"].map((n) => [n, "readonly"])) },
  },
);
