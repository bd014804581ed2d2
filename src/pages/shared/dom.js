// Helpers that change the page. Untrusted text is only set as text: nothing in the panel
// parses a string as markup.

/**
 * Returns the element with this id. Throws if there is no such element of the expected type.
 *
 * @template {Element} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [type]
 */
export function byId(id, type) {
  return assertType(document.getElementById(id), `#${id}`, type);
}

/**
 * Returns the first descendant that matches the selector. Throws if there is no such element
 * of the expected type.
 *
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} [type]
 */
export function find(root, selector, type) {
  return assertType(root.querySelector(selector), selector, type);
}

/**
 * @template {Element} T
 * @param {Element | null} element
 * @param {string} description
 * @param {(new () => T) | undefined} type
 * @returns {T}
 */
function assertType(element, description, type) {
  if (element instanceof (type ?? HTMLElement)) return /** @type {T} */ (element);
  throw new TypeError(`the page has no ${description} of the expected type`);
}

/**
 * Returns a copy of a template's only element.
 *
 * @param {string} id
 */
export function cloneTemplate(id) {
  const { content } = byId(id, HTMLTemplateElement);
  const element = assertType(content.firstElementChild, `element in #${id}`, HTMLElement);
  return /** @type {HTMLElement} */ (element.cloneNode(true));
}

/**
 * Sets a node's text, unless the text is already the same. Most updates change nothing, and
 * skipping them saves the browser a layout.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Returns a function that calls `draw` before the browser draws the next frame: once, however often
 * the function is called until then.
 *
 * @param {() => void} draw
 */
export function oncePerFrame(draw) {
  let isScheduled = false;
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    requestAnimationFrame(() => {
      isScheduled = false;
      draw();
    });
  };
}

/**
 * Sets the icon of an <svg><use/></svg> to one of the icons in icons.part.html.
 *
 * @param {Element} svg
 * @param {string} name
 */
export function setIcon(svg, name) {
  const use = svg.firstElementChild;
  const target = `#icon-${name}`;
  if (use?.getAttribute("href") !== target) use?.setAttribute("href", target);
}

/** @param {string} name */
export function createIcon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  setIcon(svg, name);
  return svg;
}

/**
 * Creates an element with these properties, data attributes (`data`) and children. String
 * children become text nodes.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Partial<HTMLElementTagNameMap[T]> & { data?: Record<string, string> }} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function create(tag, { data = {}, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  Object.assign(element.dataset, data);
  element.append(...children);
  return element;
}

/**
 * Wraps a name or a reason, so that its direction does not affect the surrounding text.
 *
 * @param {string} text
 */
export function isolate(text) {
  return create("bdi", {}, text);
}

/**
 * Isolates a name or a reason like `isolate`, for a text that is not an element.
 *
 * @param {string} text
 */
export function isolateText(text) {
  return `\u2068${text}\u2069`;
}

/**
 * Replaces the children of an element. Moves only children that are out of order, so that the
 * focused element keeps focus.
 *
 * @param {Element} parent
 * @param {Element[]} children
 */
export function setChildren(parent, children) {
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    // Older browsers lack moveBefore.
    else if (child.parentNode === parent && "moveBefore" in parent) parent.moveBefore(child, next);
    else parent.insertBefore(child, next);
  }
  while (next) {
    const surplus = next;
    next = next.nextElementSibling;
    surplus.remove();
  }
}
