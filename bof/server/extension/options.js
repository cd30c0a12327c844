// @ts-check
// The settings: which server, and the code that its terminal shows.

import { DEFAULT_ADDRESS, Trouble, isPaired, originOf, pair, paired, unpair } from './server.js';
import { element, fillTexts, t } from './words.js';

const state = element('state', HTMLElement);
const form = element('form', HTMLFormElement);
const address = element('address', HTMLInputElement);
const code = element('code', HTMLInputElement);
const end = element('end', HTMLButtonElement);

/** @param {unknown} error */
function explain(error) {
  const { key, detail } = error instanceof Trouble ? error : new Trouble('broken', String(error));
  state.className = 'bad';
  state.textContent = t(key, detail);
}

/** How often the state was asked for: an answer that comes after the next question says nothing. */
let asked = 0;

/** Says whether this extension is paired, as far as the server answers. */
async function showState() {
  asked += 1;
  const own = asked;
  const known = await paired();
  if (own !== asked) return;
  end.hidden = !known;
  address.value ||= known?.server ?? DEFAULT_ADDRESS;
  state.className = known ? 'good' : '';
  state.textContent = known ? t('pairedWith', known.server) : t('notPaired');
  try {
    if (known && !await isPaired(known)) throw new Trouble('revoked');
  } catch (error) {
    if (own === asked) explain(error);
  }
}

form.onsubmit = async (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  asked += 1;
  state.className = state.textContent = '';
  try {
    await pair(originOf(address.value), code.value);
    code.value = '';
    await showState();
  } catch (error) {
    explain(error);
  }
};

end.onclick = async () => {
  const known = await paired();
  try {
    if (known) await unpair(known);
    await showState();
  } catch (error) {
    await showState();
    explain(error);
  }
};

fillTexts();
await showState();
