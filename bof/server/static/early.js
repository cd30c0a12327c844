// @ts-check
// Before anything is drawn: the colours and the language that the reader chose last, or the browser's.
(() => {
  /** @typedef {{theme?: string, language?: string}} Saved */
  let saved = /** @type {Saved | null} */ (null);
  try {
    saved = /** @type {Saved | null} */ (JSON.parse(localStorage.getItem('bof') || 'null'));
  } catch { /* no storage: the browser decides */ }
  const root = document.documentElement;
  root.dataset.theme = saved?.theme || 'auto';
  const wished = navigator.languages.map((name) => name.slice(0, 2).toLowerCase());
  const language = saved?.language || wished.find((name) => name === 'en' || name === 'zh');
  root.lang = language === 'zh' ? 'zh-Hans' : 'en';
})();
