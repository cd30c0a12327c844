// @ts-check
// The menus and the button. Whatever is chosen becomes a job, which the page take.html does in a tab of its own: a
// service worker may be ended at any moment.

import { leaveJob } from './jobs.js';
import { patiently } from './patience.js';

const PICTURE = 'picture';
const CHOOSE = 'choose';

const ELSEWHERE = /** @type {const} */ (['page', 'frame', 'link', 'selection', 'video']);

function createMenus() {
  chrome.contextMenus.removeAll(() => {
    chrome.contextMenus.create({ id: PICTURE, title: chrome.i18n.getMessage('search'), contexts: ['image'] });
    chrome.contextMenus.create({ id: CHOOSE, title: chrome.i18n.getMessage('choose'), contexts: [...ELSEWHERE] });
  });
}

/**
 * Does a job in a tab beside the one that it is about, which stays in front until its picture is taken.
 * @param {Job} job
 */
async function start(job) {
  const tab = await chrome.tabs.get(job.tab);
  const url = chrome.runtime.getURL(`take.html#${await leaveJob(job)}`);
  await chrome.tabs.create({ url, active: false, index: tab.index + 1, openerTabId: tab.id, windowId: tab.windowId });
}

/** Lets the reader choose in the page itself. @param {chrome.tabs.Tab | undefined} tab */
async function choose(tab) {
  if (tab?.id === undefined) return;
  const target = { tabId: tab.id };
  try {
    await patiently(() => chrome.scripting.executeScript({ target, files: ['in_page.js', 'choose.js'] }));
  } catch { // a page of the browser's own, a shop of extensions, a PDF: their picture can be taken all the same
    await start({ tab: tab.id, window: tab.windowId, frame: 0, kind: 'screen', url: '', element: null, area: null });
  }
}

// Scripts that run in pages need not read the token. Firefox has no such setting.
if ('setAccessLevel' in chrome.storage.local) chrome.storage.local.setAccessLevel({ accessLevel: 'TRUSTED_CONTEXTS' });

chrome.runtime.onInstalled.addListener(createMenus);
chrome.runtime.onStartup.addListener(createMenus);
chrome.action.onClicked.addListener(choose);

chrome.contextMenus.onClicked.addListener((clicked, tab) => {
  if (clicked.menuItemId !== PICTURE || tab?.id === undefined) return choose(tab);
  const { targetElementId } = /** @type {{ targetElementId?: number }} */ (clicked); // of Firefox
  return start({
    tab: tab.id, window: tab.windowId, frame: clicked.frameId ?? 0, kind: 'clicked', url: clicked.srcUrl ?? '',
    element: targetElementId ?? null, area: null,
  });
});

// Only the extension's own scripts can send these; choose.js sends one when the reader has chosen.
chrome.runtime.onMessage.addListener((/** @type {Chosen} */ chosen, sender) => {
  if (sender.id !== chrome.runtime.id || sender.tab?.id === undefined) return;
  const { id: tab, windowId } = sender.tab;
  start({ tab, window: windowId, frame: 0, kind: chosen.kind, url: '', element: null, area: chosen.area });
});
