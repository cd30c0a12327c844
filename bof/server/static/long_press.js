// @ts-check
// A finger that stays where it is for a while, as against one that scrolls or taps.

const LONG_MS = 450;
const STILL_PX = 10;

/**
 * Watches a finger from where it was put down. onLong: it stayed, and is still there; onTap: it left at once.
 * @param {HTMLElement} area @param {PointerEvent} down @param {() => void} onLong @param {() => void} onTap
 */
export function watchPress(area, down, onLong, onTap) {
  const listening = new AbortController();
  const { signal } = listening;
  /** @param {PointerEvent} now */
  const isOther = (now) => now.pointerId !== down.pointerId;
  const end = () => {
    clearTimeout(timer);
    listening.abort();
  };
  const timer = setTimeout(() => {
    end();
    onLong();
  }, LONG_MS);
  area.addEventListener('pointermove', (now) => {
    const distance = Math.hypot(now.clientX - down.clientX, now.clientY - down.clientY);
    if (!isOther(now) && distance > STILL_PX) end();
  }, { signal });
  area.addEventListener('pointercancel', (now) => isOther(now) || end(), { signal });
  area.addEventListener('pointerup', (now) => {
    if (isOther(now)) return;
    end();
    onTap();
  }, { signal });
}
