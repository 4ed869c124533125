import { element } from "../../shared/dom.js";
import { StillCache } from "./still-cache.js";

/** @import { Box } from "./types.js" */

/** Shows small pictures of faces and of frames; each is fetched once, when it comes in sight. */
export class Portraits {
  /** @param {string} base address that the number of a frame follows */
  constructor(base) {
    this.cache = new StillCache(base);
    /** @type {Map<string, string>} addresses of pictures that are there */
    this.urls = new Map();
    /** @type {WeakMap<Element, [frame: number, query: string]>} */
    this.wanted = new WeakMap();
    this.observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting && target instanceof HTMLImageElement) {
          this.observer.unobserve(target);
          this.load(target);
        }
      }
    });
  }

  /**
   * Makes a picture of a place in a frame.
   * @param {number} frame
   * @param {Box | null} box null for the whole frame
   * @param {string} alt what is said of it; empty where a text beside it says the same
   */
  image(frame, box, alt = "") {
    const query = queryOf(box);
    const image = element("img", { alt, className: "portrait", draggable: false });
    const url = this.urls.get(`${frame}?${query}`);
    if (url) {
      image.src = url;
    } else {
      this.wanted.set(image, [frame, query]);
      this.observer.observe(image);
    }
    return image;
  }

  /** Lets go of all pictures. */
  end() {
    this.observer.disconnect();
    this.urls.forEach((url) => URL.revokeObjectURL(url));
    this.urls.clear();
    this.cache.clear();
  }

  /** @param {HTMLImageElement} image */
  async load(image) {
    const [frame, query] = this.wanted.get(image) ?? [0, ""];
    try {
      image.src = await this.fetch(frame, query);
    } catch {
      image.alt = "no picture"; // the frame itself says why, when one goes there
    }
  }

  /**
   * @param {number} frame
   * @param {string} query
   */
  async fetch(frame, query) {
    const key = `${frame}?${query}`;
    const blob = await this.cache.get(frame, query, true);
    const url = this.urls.get(key) ?? URL.createObjectURL(blob);
    this.urls.set(key, url);
    return url;
  }
}

/** @param {Box | null} box */
function queryOf(box) {
  return box ? `box=${box.map((edge) => edge.toFixed(1)).join(",")}` : "box=";
}
