import { nothing, type ElementPart } from 'lit';
import { Directive, directive, PartType, type PartInfo } from 'lit/directive.js';

/**
 * Sets CSS custom properties of an element through the object model. A `style` attribute would need
 * `'unsafe-inline'` in the Content-Security-Policy.
 */
class VarsDirective extends Directive {
  #style: CSSStyleDeclaration | undefined;

  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error('vars() belongs on an element');
  }

  override update(part: ElementPart, [values]: [Readonly<Record<string, string>>]): typeof nothing {
    this.#style = (part.element as HTMLElement).style;
    return this.render(values);
  }

  override render(values: Readonly<Record<string, string>>): typeof nothing {
    for (const [name, value] of Object.entries(values)) this.#style?.setProperty(name, value);
    return nothing;
  }
}

export const vars = directive(VarsDirective);
