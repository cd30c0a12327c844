// @ts-check
// Browsers grant what a click in a tab allows beside the click, not before it: what is refused at once may be allowed a
// moment later.

const WAITS_MS = [50, 150, 400];

/**
 * What an action gives, which is tried again where the browser refuses it.
 * @template R
 * @param {() => Promise<R>} action
 */
export async function patiently(action) {
  for (const wait of WAITS_MS) {
    try {
      return await action();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return await action();
}
