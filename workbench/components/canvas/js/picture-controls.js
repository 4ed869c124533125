import { part } from "../../shared/dom.js";

const PLAIN = 100;

/** Changes how bright and how rich in contrast the picture is on this screen; the video stays as it is. */
export class PictureControls {
  /**
   * @param {ParentNode} root
   * @param {{ picture: HTMLElement, boxes: SVGSVGElement, back: () => void }} parts
   * @param {AbortSignal} signal ends it
   */
  constructor(root, { picture, boxes, back }, signal) {
    this.picture = picture;
    this.boxes = boxes;
    this.sliders = [part(root, "brightness", HTMLInputElement), part(root, "contrast", HTMLInputElement)];
    this.button = part(root, "hideBoxes", HTMLButtonElement);
    for (const slider of this.sliders) {
      slider.addEventListener("input", () => this.apply(), { signal });
      slider.addEventListener("change", back, { signal });
    }
  }

  /** Shows the picture as it is. */
  reset() {
    for (const slider of this.sliders) {
      slider.value = String(PLAIN);
    }
    this.apply();
  }

  /** Hides the boxes and labels, or shows them again. */
  toggleBoxes() {
    const hidden = this.boxes.classList.toggle("boxes-hidden");
    this.button.setAttribute("aria-pressed", String(hidden));
  }

  apply() {
    const [brightness, contrast] = this.sliders.map((slider) => Number(slider.value));
    const plain = brightness === PLAIN && contrast === PLAIN;
    this.picture.style.filter = plain ? "" : `brightness(${brightness}%) contrast(${contrast}%)`;
  }
}
