import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import ts from 'typescript-eslint';

export default defineConfig({
  files: ['**/*.js'],
  extends: [js.configs.recommended, ts.configs.strictTypeChecked],
  languageOptions: { parserOptions: { project: ['', 'extension/'].map((each) => `${import.meta.dirname}/${each}tsconfig.json`) } },
  linterOptions: { reportUnusedDisableDirectives: 'error' },
  rules: {
    eqeqeq: 'error',
    'max-len': ['error', { code: 120, ignorePattern: "^  '.*'\\],$" }], // not the texts
    'no-undef': 'off', // tsc finds these
    '@typescript-eslint/no-confusing-void-expression': 'off', // most listeners are short
    '@typescript-eslint/no-floating-promises': 'off', // app.js shows the error that a promise is rejected with
    '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }], // the same
    '@typescript-eslint/no-unsafe-argument': 'off', // these three do not see the casts of JSDoc
    '@typescript-eslint/no-unsafe-assignment': 'off',
    '@typescript-eslint/no-unsafe-return': 'off',
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
  },
});
