/** Heights in pixels. */
export const SEEN = 5;
export const RISK = 30;
export const SPOTS = 9;
export const LANE = 7;
export const SOUND = 20;
export const FOOT = 14;

/** Distance of a text from the border. */
export const MARGIN = 3;

/** Height of a name of a lane. */
const NAME_HEIGHT = 12;

/** Width of the names of the lanes, and the least width of a timeline that has room for them. */
const NAMES = 58;
const ROOM_FOR_NAMES = 560;

/** Where the lanes of the tracks begin. */
export const LANES = SEEN + RISK + SPOTS;

/**
 * Gives the height of a timeline in pixels.
 * @param {number} lanes
 * @param {boolean} hasSound
 */
export function heightOf(lanes, hasSound) {
  return LANES + lanes * LANE + (hasSound ? SOUND : 0) + FOOT;
}

/**
 * Tells whether a height is that of the times, at the foot.
 * @param {number} y
 * @param {number} lanes
 * @param {boolean} hasSound
 */
export function isOnTimes(y, lanes, hasSound) {
  return y >= heightOf(lanes, hasSound) - FOOT;
}

/**
 * Tells whether a height is that of the sound, above the times.
 * @param {number} y
 * @param {number} lanes
 * @param {boolean} hasSound
 */
export function isOnSound(y, lanes, hasSound) {
  const top = LANES + lanes * LANE;
  return hasSound && y >= top && y < top + SOUND;
}

/**
 * Gives where the frames begin, right of the names of the lanes.
 * @param {number} width of the timeline
 */
export function namesWidth(width) {
  return width >= ROOM_FOR_NAMES ? NAMES : 0;
}

/**
 * Gives the names of the lanes, each with the height of its middle.
 * @param {number} lanes
 * @param {boolean} hasSound
 * @returns {[name: string, y: number][]}
 */
export function placesOfNames(lanes, hasSound) {
  const end = LANES + lanes * LANE;
  const check = SEEN + RISK + SPOTS / 2 - 2;
  return [
    ["viewed", SEEN + 2],
    ["risk", SEEN + RISK / 2],
    ["to check", check],
    // A single lane is lower than its name.
    ["tracks", Math.max(LANES + (lanes * LANE) / 2, check + NAME_HEIGHT)],
    ...(hasSound ? [/** @type {[string, number]} */ (["sound", end + SOUND / 2])] : []),
  ];
}

/**
 * Gives where the time of a mark is written: the first and the last at the ends.
 * @param {number} mark
 * @param {number} last
 * @param {{ left: number, width: number }} place of the timeline
 * @returns {{ align: CanvasTextAlign, x: number }}
 */
export function placeOfMark(mark, last, { left, width }) {
  if (mark === 0) {
    return { align: "left", x: left + MARGIN };
  }
  return mark === last
    ? { align: "right", x: width - MARGIN }
    : { align: "center", x: left + ((width - left) * mark) / last };
}
