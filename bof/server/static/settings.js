// @ts-check
// The reader's settings, stored in this browser; where it stores nothing they hold until the reader leaves the page.

const NAME = 'bof';

/** @type {Record<string, unknown>} */
let settings = {};
try {
  settings = { .../** @type {object} */ (JSON.parse(localStorage.getItem(NAME) || '{}')) };
} catch { /* no storage */ }

/**
 * One of several values.
 * @template {string} T @param {string} name @param {readonly [T, ...T[]]} values the first is the default
 */
export const choice = (name, values) => values.find((value) => value === settings[name]) ?? values[0];

/** Something that is on unless it was switched off. @param {string} name */
export const isOn = (name) => settings[name] !== false;

/** @param {string} name @param {string | boolean} value */
export function save(name, value) {
  settings = { ...settings, [name]: value };
  try {
    localStorage.setItem(NAME, JSON.stringify(settings));
  } catch { /* no storage */ }
}
