/** @import { ReviewItem, Track, Face } from "./types.js" */

const AHEAD = 14;
const BEHIND = 5;
const AT_ONCE = 4;
const ITEMS_AHEAD = 3;

/**
 * What the frames to fetch ahead depend on.
 * @typedef {object} Position
 * @property {number} index
 * @property {number} count of all frames
 * @property {number} direction of travel
 * @property {number} playing 0 while nothing plays
 * @property {string | null} itemKey
 * @property {{ spots: ReviewItem[] }} data
 */

/**
 * Lists the frames to fetch ahead: the nearest, those of the next items to check, then more in the direction of travel.
 * @param {Position} position
 * @returns {number[]}
 */
export function framesAhead({ index, count, direction, playing, itemKey, data: { spots } }) {
  const next = playing ? [] : itemsAfter(spots, itemKey, ITEMS_AHEAD);
  const previous = playing ? null : nextItem(spots, itemKey, -1);
  /** @type {number[]} */
  const frames = [];
  for (let by = 1; by <= AHEAD; by += 1) {
    frames.push(index + by * direction);
    if (by <= BEHIND) {
      frames.push(index - by * direction);
    }
    if (by === AT_ONCE) {
      frames.push(...next.slice(0, 1).map((spot) => spot.at));
    }
  }
  frames.push(...next.map((spot) => spot.at), ...(previous ? [previous.at] : []));
  return frames.filter((frame) => frame >= 0 && frame < count);
}

/**
 * Finds the next open item of the queue, or the one before; after the last comes the first.
 * @param {ReviewItem[]} spots
 * @param {string | null} key of the item to begin from
 * @param {number} by 1 or -1
 * @returns {ReviewItem | null} null when no other is open
 */
export function nextItem(spots, key, by) {
  const place = spots.findIndex((spot) => spot.key === key);
  const forward = [...spots.slice(place + 1), ...spots.slice(0, Math.max(0, place))];
  const backward = [...spots.slice(0, Math.max(0, place)).reverse(), ...spots.slice(place + 1).reverse()];
  return (by > 0 ? forward : backward).find((spot) => spot.state === "open") ?? null;
}

/**
 * Lists the open items to check that come next.
 * @param {ReviewItem[]} spots
 * @param {string | null} key of the item to begin from
 * @param {number} most how many
 * @returns {ReviewItem[]}
 */
export function itemsAfter(spots, key, most) {
  /** @type {ReviewItem[]} */
  const found = [];
  let spot = nextItem(spots, key, 1);
  while (spot && found.length < most && !found.includes(spot)) {
    found.push(spot);
    spot = nextItem(spots, spot.key, 1);
  }
  return found;
}

/**
 * Finds the next cut, or the one before.
 * @param {number[]} cuts in order
 * @param {number} index
 * @param {number} by 1 or -1
 * @returns {number | null}
 */
export function nextCut(cuts, index, by) {
  const found = by > 0 ? cuts.find((cut) => cut > index) : cuts.filter((cut) => cut < index).at(-1);
  return found ?? null;
}

/**
 * Finds the next face of a frame, or the one before; after the last comes the first.
 * @param {Face[]} faces
 * @param {number | null} chosen track
 * @param {number} by 1 or -1
 * @returns {number | null} its track; null when the frame has no face
 */
export function nextFace(faces, chosen, by) {
  const at = faces.findIndex((face) => face.track === chosen);
  const start = by > 0 ? 0 : faces.length - 1;
  const place = at < 0 ? start : (at + by + faces.length) % faces.length;
  return faces[place]?.track ?? null;
}

/**
 * Finds the next track, or the one before, in the order in which they begin.
 * @param {Iterable<Track>} tracks
 * @param {number | null} chosen track
 * @param {number} index where to begin from when no track is chosen
 * @param {number} by 1 or -1
 * @returns {Track | null}
 */
export function nextTrack(tracks, chosen, index, by) {
  const ordered = [...tracks].sort((a, b) => a.start - b.start || a.track - b.track);
  const at = ordered.findIndex((track) => track.track === chosen);
  if (at >= 0) {
    return ordered[at + by] ?? null;
  }
  const after = ordered.find((track) => track.start > index);
  const before = ordered.filter((track) => track.start < index).at(-1);
  return (by > 0 ? after : before) ?? null;
}
