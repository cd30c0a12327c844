// @ts-check
// What was chosen, on its way to the page that does it: in the browser's memory, under a name that nobody can guess.

/** @param {Job} job @returns {Promise<string>} the name */
export async function leaveJob(job) {
  const name = crypto.randomUUID();
  await chrome.storage.session.set({ [name]: job });
  return name;
}

/** The job of a name, which is gone then: a page that is loaded again does nothing twice. @param {string} name */
export async function takeJob(name) {
  const found = await chrome.storage.session.get(name);
  await chrome.storage.session.remove(name);
  return /** @type {Job | undefined} */ (found[name]);
}
