import js from '@eslint/js';
import globals from 'globals';
import lit from 'eslint-plugin-lit';
import litA11y from 'eslint-plugin-lit-a11y';
import wc from 'eslint-plugin-wc';
import tseslint from 'typescript-eslint';

const project = (file) => ({ parserOptions: { project: new URL(file, import.meta.url).pathname } });

export default tseslint.config(
  { ignores: ['**/node_modules', '**/*.gen.ts', 'www/src/engine/wasm', 'dist', 'target', '**/test-results'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  lit.configs['flat/recommended'],
  wc.configs['flat/recommended'],
  {
    plugins: { 'lit-a11y': litA11y },
    rules: { ...litA11y.configs.recommended.rules },
  },
  {
    languageOptions: { globals: globals.browser },
    rules: {
      // Numbers in messages and templates read well as they are.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  { files: ['www/src/**/*.ts'], languageOptions: project('tsconfig.json') },
  {
    files: ['www/src/engine/worker.ts', 'www/src/bench/worker.ts', 'www/src/sw.ts'],
    languageOptions: project('tsconfig.worker.json'),
  },
  { files: ['www/src/**/*.test.ts'], languageOptions: project('tsconfig.test.json') },
  { files: ['www/*.ts', 'www/vite/*.ts'], languageOptions: project('tsconfig.node.json') },
  { files: ['tests/e2e/**/*.ts'], languageOptions: project('../tests/e2e/tsconfig.json') },
  { files: ['**/*.d.ts'], rules: { '@typescript-eslint/consistent-type-imports': 'off' } },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
