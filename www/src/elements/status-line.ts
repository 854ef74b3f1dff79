import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

/** What it runs on, and that nothing leaves the machine. */
@customElement('status-line')
export class StatusLine extends AppElement {
  static override styles = [
    shared,
    css`
      footer {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25em 1.25em;
        color: var(--soft);
        font-size: 0.9em;
      }
      strong {
        color: var(--accent);
        font-weight: 600;
      }
    `,
  ];

  protected override render() {
    const t = this.t.status;
    const { engine, workers, offline, onPage } = this.state;
    const text = {
      starting: t.starting,
      ready: onPage ? t.onPage : t.ready(t.workers(workers)),
      failed: t.failed,
    }[engine];
    return html`<footer>
      <strong>${t.privacy}</strong>
      ${offline ? html`<span>${t.offline}</span>` : nothing}
      <span>${text}</span>
    </footer>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'status-line': StatusLine;
  }
}
