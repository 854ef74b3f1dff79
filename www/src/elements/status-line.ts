import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import type { WireDevice } from '../protocol.gen.js';
import { noteText } from '../notes.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

const DEVICES: readonly WireDevice[] = ['auto', 'cpu', 'gpu', 'gpu-f16'];

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
      select {
        width: auto;
        padding: 0 0.25em;
        font-size: inherit;
      }
      strong {
        color: var(--accent);
        font-weight: 600;
      }
    `,
  ];

  protected override render() {
    const t = this.t.status;
    const { engine, workers, limit, offline, onPage, device } = this.state;
    const { gpu, why, prefer } = device;
    const running = gpu === null ? t.onCpu(`${t.workers(workers)} (${t.limits[limit]})`) : t.onGpu(gpu);
    const text = { starting: t.starting, ready: onPage ? t.onPage : running, failed: t.failed }[engine];
    return html`<footer>
      <strong>${t.privacy}</strong>
      ${offline ? html`<span>${t.offline}</span>` : nothing}
      <span>${text}${engine === 'ready' && why ? html` ${noteText(t, why)}` : nothing}</span>
      ${engine === 'ready' ? this.#choice(prefer) : nothing}
    </footer>`;
  }

  #choice(prefer: WireDevice) {
    const t = this.t.status;
    const choose = (event: Event) => {
      void this.app.controller.chooseDevice((event.target as HTMLSelectElement).value as WireDevice);
    };
    return html`<label>
      ${t.device}
      <select id="device" @change=${choose}>
        ${DEVICES.map((id) => html`<option value=${id} .selected=${id === prefer}>${t.devices[id]}</option>`)}
      </select>
    </label>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'status-line': StatusLine;
  }
}
