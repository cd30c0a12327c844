// @ts-check
// Times of a film: of a frame and its shot, as addresses have them, and as people read them.

const SECONDS_A_MINUTE = 60;

/**
 * A frame of a film and its shot, in seconds.
 * @typedef {{time: number, start: number, stop: number}} FrameTimes
 */

/**
 * The times that a part names; null for a part that is no frame of a film.
 * @param {string} part @returns {FrameTimes | null}
 */
export function timesOf(part) {
  const found = /^t=([\d.]+)(?:&shot=([\d.]+),([\d.]+))?$/.exec(part);
  if (!found) return null;
  const time = Number(found[1]);
  return { time, start: Number(found[2] ?? time), stop: Number(found[3] ?? time) };
}

/** A time as films show it: 1:02:03.4. @param {number} seconds */
export function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const [s, m] = [(tenths / 10) % SECONDS_A_MINUTE, Math.floor(tenths / 10 / SECONDS_A_MINUTE)];
  const [minutes, hours] = [m % SECONDS_A_MINUTE, Math.floor(m / SECONDS_A_MINUTE)];
  const rest = `${s < 10 ? '0' : ''}${s.toFixed(1)}`;
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}
