import { element } from "../../shared/dom.js";
import { openItemsOf, titleOf } from "./people.js";

/**
 * @import { People } from "./people.js"
 * @import { Portraits } from "./portraits.js"
 * @import { ReviewState } from "./state.js"
 * @import { Person, PersonFace, ReviewItem } from "./types.js"
 */

/** Most doubtful places on a card. */
const MOST_ITEMS = 6;
const MOST_STRETCHES = 3;

/** Room in pixels above the current card, for what stays at the top of the list. */
const MARGIN = 70;

const STATES = { open: "to decide", masked: "masked", visible: "kept visible", removed: "not a face" };

/**
 * @typedef {object} CardHandlers
 * @property {(person: Person, face: PersonFace) => void} show
 * @property {(key: string) => void} openItem
 */

/** Shows a card for each person: faces over time, stretches, doubtful places, and what was decided. */
export class PeopleList {
  /**
   * @param {HTMLElement} place
   * @param {ReviewState} state
   * @param {{ people: People, portraits: Portraits }} parts
   * @param {CardHandlers} handlers
   */
  constructor(place, state, { people, portraits }, handlers) {
    this.place = place;
    this.state = state;
    this.people = people;
    this.portraits = portraits;
    this.handlers = handlers;
  }

  /** Shows the cards. */
  draw() {
    const { people } = this.state;
    const cards = people.map((person, place) => this.card(person, place));
    this.place.replaceChildren(...this.heading(), ...cards);
    this.mark();
  }

  /** Marks the cards that are chosen, and brings the current one in sight. */
  mark() {
    for (const card of this.place.querySelectorAll(".card")) {
      const key = Number(card instanceof HTMLElement ? card.dataset.person : -1);
      const current = key === this.state.personKey;
      card.classList.toggle("current", current);
      const box = card.querySelector("input");
      if (box) {
        box.checked = this.state.pickedPeople.has(key);
      }
      if (current && card instanceof HTMLElement) {
        // The list alone: on a narrow screen the picture above it must stay in sight.
        this.place.scrollTop = card.offsetTop - this.place.offsetTop - MARGIN;
      }
    }
  }

  heading() {
    const { people } = this.state;
    if (this.people.problem) {
      return [element("p", { className: "says bad" }, this.people.problem)];
    }
    if (!people.length) {
      return [element("p", { className: "nothing" }, this.people.loading ? "Comparing faces..." : "Nobody was found.")];
    }
    const open = people.filter(({ state }) => state === "open").length;
    const text = `${people.length - open} of ${people.length} people decided`;
    return [element("p", { className: "quiet count", attributes: { role: "status" } }, text), ...this.toolbar()];
  }

  toolbar() {
    if (!this.state.mayAmend) {
      return [];
    }
    const buttons = [
      button("personMasked", "Masks are right", "The masks of the chosen people are right (a)", "main"),
      button("personNotAFace", "Not a face", "Not a face: remove the masks (x)"),
      button("personVisible", "Keep visible", "Do not mask the chosen people, with a reason (K)"),
      button("personJoin", "Join", "Make one person of the chosen cards"),
      button("personSplit", "Split", "Take tracks out of the chosen card"),
      button("personName", "Name", "Name the chosen person"),
    ];
    if (this.people.arranged) {
      buttons.push(button("personUndo", "Undo join or split", "Undo the last change of the cards"));
    }
    const attributes = { role: "toolbar", "aria-label": "Decide about the chosen people" };
    return [element("div", { className: "deciding", attributes, dataset: { roving: "" } }, ...buttons)];
  }

  /**
   * @param {Person} person
   * @param {number} place
   */
  card(person, place) {
    const title = titleOf(person, place);
    const [key] = person.tracks;
    const pick = element("input", {
      type: "checkbox",
      onchange: () => this.state.pickPerson(key),
      attributes: { "aria-label": `Choose ${title}`, tabindex: "-1" },
    });
    const items = openItemsOf(person, this.state.data.spots);
    return element(
      "div",
      { className: `card ${person.state}`, dataset: { person: String(key) } },
      element(
        "div",
        { className: "head" },
        pick,
        element("button", { className: "go", onclick: () => this.handlers.show(person, person.faces[0]) }, title),
        element("span", { className: "quiet" }, STATES[person.state]),
      ),
      element("div", { className: "faces" }, ...person.faces.map((face) => this.face(person, face, title))),
      element("div", { className: "quiet" }, describe(person)),
      ...this.doubts(items),
    );
  }

  /**
   * @param {Person} person
   * @param {PersonFace} face
   * @param {string} title
   */
  face(person, face, title) {
    const image = this.portraits.image(face.frame, face.box);
    const onclick = () => this.handlers.show(person, face);
    return element(
      "button",
      { className: "thumb", onclick, tabIndex: -1, ariaLabel: `${title}, frame ${face.frame}` },
      image,
    );
  }

  /** @param {ReviewItem[]} items */
  doubts(items) {
    if (!items.length) {
      return [];
    }
    const shown = items.slice(0, MOST_ITEMS).map((item) => {
      const onclick = () => this.handlers.openItem(item.key);
      const label = `${item.label}, frame ${item.at}`;
      const image = this.portraits.image(item.at, item.box);
      return element(
        "button",
        { className: "thumb doubt", onclick, tabIndex: -1, title: label, ariaLabel: label },
        image,
      );
    });
    const more = items.length > MOST_ITEMS ? `, the first ${MOST_ITEMS} shown` : "";
    return [
      element("div", { className: "doubtful-places" }, `${items.length} to check${more}`),
      element("div", { className: "faces" }, ...shown),
    ];
  }
}

/** @param {Person} person */
function describe({ tracks, stretches, arranged }) {
  const written = stretches.slice(0, MOST_STRETCHES).map(([start, stop]) => `${start}–${stop - 1}`);
  const more = stretches.length > MOST_STRETCHES ? ` and ${stretches.length - MOST_STRETCHES} more` : "";
  const count = tracks.length === 1 ? `track ${tracks[0]}` : `${tracks.length} tracks`;
  return `${count}${arranged ? ", arranged by hand" : ""}, frames ${written.join(", ")}${more}`;
}

/**
 * @param {string} command
 * @param {string} text
 * @param {string} title
 * @param {string} [className]
 */
function button(command, text, title, className = "") {
  return element("button", { dataset: { do: command }, title, className }, text);
}
