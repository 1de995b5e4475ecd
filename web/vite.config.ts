// How the page is built (web/dist, embedded by the program) and how its tests run.
import { defineConfig } from "vitest/config";

export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    // Nothing is inlined as data: the server's content policy allows only its own files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*_test.{ts,tsx}", "test/**/*_test.{ts,tsx}"],
  },
});
