// Before anything is drawn: the colours and the language that were chosen last, or the browser's.
(() => {
  let saved = {};
  try {
    saved = JSON.parse(localStorage.getItem('bof') || '{}');
  } catch { /* no storage: the browser's wishes hold */ }
  const root = document.documentElement;
  root.dataset.theme = saved.theme || 'auto';
  const wished = (navigator.languages || ['en']).map((name) => name.slice(0, 2).toLowerCase());
  const first = wished.find((name) => name === 'en' || name === 'zh');
  root.lang = { en: 'en', zh: 'zh-Hans' }[saved.language || first] || 'en';
})();
