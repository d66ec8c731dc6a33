import angular from 'angular-eslint';
import { readdirSync } from 'node:fs';
import tseslint from 'typescript-eslint';

/** core < ui < features; a feature knows no other one. */
const FEATURES = readdirSync(new URL('src/app/features', import.meta.url));
const layer = (folder, forbidden, message) => ({
  files: [`src/app/${folder}/**/*.ts`],
  ignores: ['**/*.spec.ts'],
  rules: { 'no-restricted-imports': ['error', { patterns: [{ regex: `^(\\.\\./)+(${forbidden.join('|')})/`, message }] }] },
});

export default tseslint.config(
  { ignores: ['dist/', '.angular/'] },
  {
    files: ['src/**/*.ts'],
    extends: [
      ...tseslint.configs.strictTypeChecked,
      ...tseslint.configs.stylisticTypeChecked,
      ...angular.configs.tsRecommended,
    ],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    processor: angular.processInlineTemplates,
    rules: {
      '@angular-eslint/component-selector': ['error', { type: 'element', prefix: 'ft', style: 'kebab-case' }],
      '@angular-eslint/directive-selector': ['error', { type: 'attribute', prefix: 'ft', style: 'camelCase' }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  layer('core', ['ui', 'features'], 'core stands below ui and features'),
  layer('ui', ['features'], 'ui stands below features'),
  ...FEATURES.map((name) => layer(`features/${name}`, ['features', ...FEATURES.filter((other) => other !== name)], 'a feature knows no other feature')),
  {
    files: ['src/**/*.html'],
    extends: [...angular.configs.templateRecommended, ...angular.configs.templateAccessibility],
  },
);
