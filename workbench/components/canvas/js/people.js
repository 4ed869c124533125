import { fetchChecked } from "./server.js";

/**
 * @import { Action, PeopleAnswer, Person, ReviewItem } from "./types.js"
 * @import { ReviewState } from "./state.js"
 */

/** Fetches the people of a run whenever the review has changed. */
export class People {
  /** @param {ReviewState} state */
  constructor(state) {
    this.state = state;
    /** @type {string | null} the revision that they belong to */
    this.revision = null;
    this.problem = "";
    this.loading = false;
    /** How many arrangements can be undone. */
    this.arranged = 0;
  }

  /** Fetches them, unless they are there. */
  async refresh() {
    const { revision, message, urls } = this.state.data;
    const wanted = `${revision} ${message?.serial ?? ""}`;
    if (wanted === this.revision) {
      return;
    }
    this.revision = wanted;
    this.loading = true;
    this.state.events.emit("peopleChanged", undefined);
    try {
      const response = await fetchChecked(urls.people);
      const { people, arranged } = /** @type {PeopleAnswer} */ (await response.json());
      if (wanted === this.revision) {
        this.problem = "";
        this.arranged = arranged;
        this.state.takePeople(people);
      }
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    if (wanted === this.revision) {
      this.loading = false;
      this.state.events.emit("peopleChanged", undefined);
    }
  }
}

/**
 * Names a person.
 * @param {Person} person
 * @param {number} place among all, from 0
 */
export function titleOf(person, place) {
  return person.name || `Person ${place + 1}`;
}

/**
 * Lists the open items to check of a person.
 * @param {Person} person
 * @param {ReviewItem[]} spots
 */
export function openItemsOf({ tracks }, spots) {
  return spots.filter(({ state, track }) => state === "open" && track !== null && tracks.includes(track));
}

/**
 * Gives the amendments that say that the masks of people are right, and that these items were checked.
 * @param {Person[]} people
 * @param {ReviewItem[]} items
 * @returns {Action[]}
 */
export function acceptanceOf(people, items) {
  const keys = people.flatMap((person) => person.keys);
  return [...keys, ...items.map((item) => item.key)].map((spot) => ({ kind: "accept", spot }));
}

/**
 * Gives the amendments that take all tracks of people out, or keep them visible.
 * @param {"delete" | "keep_visible"} kind
 * @param {Person[]} people
 * @returns {Action[]}
 */
export function changesOf(kind, people) {
  return people.flatMap(({ tracks, spans }) =>
    tracks.map((track, place) => ({ kind, track, start: spans[place][0], stop: spans[place][1] })),
  );
}

/**
 * Finds the next person who is not decided, or the one before; after the last comes the first.
 * @param {Person[]} people
 * @param {number | null} key of the person to begin from
 * @param {number} by 1 or -1
 * @returns {Person | null}
 */
export function nextPerson(people, key, by) {
  const at = people.findIndex((person) => person.tracks[0] === key);
  const after = [...people.slice(at + 1), ...people.slice(0, Math.max(0, at))];
  const before = [...people.slice(0, Math.max(0, at)).reverse(), ...people.slice(at + 1).reverse()];
  return (by > 0 ? after : before).find((person) => person.state === "open") ?? null;
}
