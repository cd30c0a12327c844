// @ts-check
// Runs scripts in pages. Chromium tells the page's process of the reader's permission beside the click, not before it:
// what is refused at once may be allowed a moment later.

const WAITS_MS = [50, 150, 400];

/**
 * What a script in a page returns.
 * @template {unknown[]} A, R
 * @param {chrome.scripting.ScriptInjection<A, R>} injection
 */
export async function inject(injection) {
  for (const wait of WAITS_MS) {
    try {
      return await chrome.scripting.executeScript(injection);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return await chrome.scripting.executeScript(injection);
}
