// The few ways in which the page is changed. What comes from outside goes in as text,
// here and nowhere else; no markup is ever made of a string.

export function byId(id) {
  return document.getElementById(id);
}

export function clone(template) {
  return byId(template).content.firstElementChild.cloneNode(true);
}

// Leaves the node alone where it says that already: most of what comes every second
// changes nothing.
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function useIcon(svg, name) {
  const use = svg.firstElementChild;
  const target = `#icon-${name}`;
  if (use.getAttribute("href") !== target) use.setAttribute("href", target);
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  useIcon(svg, name);
  return svg;
}

// An element with properties (`data` for its data attributes), and what is in it:
// strings become text.
export function make(tag, { data = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  Object.assign(element.dataset, data);
  element.append(...children);
  return element;
}

// A name or a reason, kept apart from the direction of the words around it.
export function name(text) {
  return make("bdi", {}, text);
}

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const LETTER = /\p{L}/u;

// The direction of a list of names: that of most of them.
export function direction(texts) {
  let balance = 0;
  for (const text of texts) {
    const letter = LETTER.exec(text ?? "")?.[0];
    if (letter) balance += RIGHT_TO_LEFT.test(letter) ? 1 : -1;
  }
  return balance > 0 ? "rtl" : "ltr";
}

// Puts the children in this order, moving only those that are out of place, so that
// what has the focus keeps it.
export function arrange(parent, children) {
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else if (child.parentNode === parent && parent.moveBefore) parent.moveBefore(child, next);
    else parent.insertBefore(child, next);
  }
  while (next) {
    const gone = next;
    next = next.nextElementSibling;
    gone.remove();
  }
}
