import { titleOf } from "./people.js";

/** @import { Person, ReviewItem } from "./types.js" */

/** @typedef {"none" | "person" | "cause" | "time"} Grouping */

/** @typedef {"risk" | "time"} Sorting */

/**
 * @typedef {object} ItemView
 * @property {Grouping} grouping
 * @property {Sorting} sorting
 * @property {string} cause label of the cause that is shown; empty for all
 */

/**
 * Items to check that belong together.
 * @typedef {{ title: string, items: ReviewItem[] }} ItemGroup
 */

const MINUTE = 60;
const NOBODY = "No track";

/**
 * Lists the items that a view shows, in its order.
 * @param {ReviewItem[]} spots by falling risk
 * @param {ItemView} view
 */
export function itemsInOrder(spots, { sorting, cause }) {
  const shown = cause ? spots.filter(({ label }) => label === cause) : [...spots];
  return sorting === "time" ? shown.sort((a, b) => a.start - b.start || b.risk - a.risk) : shown;
}

/**
 * Groups items to check; groups come in the order of their first item.
 * @param {ReviewItem[]} items
 * @param {Grouping} grouping
 * @param {Person[]} people
 * @param {number} step seconds that a frame lasts
 * @returns {ItemGroup[]}
 */
export function groupItems(items, grouping, people, step) {
  /** @type {Map<string, ReviewItem[]>} */
  const groups = new Map();
  for (const item of items) {
    const title = titleOfGroup(item, grouping, people, step);
    groups.set(title, [...(groups.get(title) ?? []), item]);
  }
  return [...groups].map(([title, members]) => ({ title, items: members }));
}

/**
 * Lists the causes of items, each once, in the order of the alphabet.
 * @param {ReviewItem[]} spots
 */
export function causesOf(spots) {
  return [...new Set(spots.map(({ label }) => label))].sort();
}

/**
 * @param {ReviewItem} item
 * @param {Grouping} grouping
 * @param {Person[]} people
 * @param {number} step
 */
function titleOfGroup({ label, start, track }, grouping, people, step) {
  if (grouping === "cause") {
    return label;
  }
  if (grouping === "time") {
    const minute = Math.floor((start * step) / MINUTE);
    return `Minute ${minute + 1}`;
  }
  if (grouping === "person") {
    const place = people.findIndex(({ tracks }) => track !== null && tracks.includes(track));
    if (place >= 0) {
      return titleOf(people[place], place);
    }
    return track === null ? NOBODY : `Track ${track}`;
  }
  return "";
}
