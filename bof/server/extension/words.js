// @ts-check
// Texts in the browser's language: of _locales.

/** @param {string} key @param {string[]} parts */
export const t = (key, ...parts) => chrome.i18n.getMessage(key, parts);

/** Fills every element that names its text. */
export function fillTexts() {
  document.documentElement.lang = chrome.i18n.getUILanguage();
  document.title = t('name');
  for (const element of document.querySelectorAll('[data-text]')) {
    element.textContent = t(element.getAttribute('data-text') ?? '');
  }
}

/** An element that the page has. @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
export function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no ${id}`);
  return found;
}
