import { css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Task } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import { vars } from './vars.js';

/** The progress of a running task. */
@customElement('work-bar')
export class WorkBar extends AppElement {
  static override styles = [
    shared,
    css`
      .bar {
        height: 0.5rem;
        border-radius: 99em;
        background: var(--sunk);
        overflow: hidden;
      }
      .bar > div {
        width: var(--share);
        height: 100%;
        border-radius: inherit;
        background: var(--accent);
        transition: width 0.2s;
      }
      .unknown > div {
        width: 30%;
        animation: slide 1.4s ease-in-out infinite alternate;
      }
      @keyframes slide {
        to {
          margin-inline-start: 70%;
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .bar > div {
          transition: none;
        }
        .unknown > div {
          width: 100%;
          opacity: 0.5;
          animation: none;
        }
      }
    `,
  ];

  @property({ attribute: false }) tasks: readonly Task[] = [];

  protected override render() {
    const { work } = this.state;
    const shown = work !== null && this.tasks.includes(work.task);
    this.toggleAttribute('empty', !shown);
    if (!shown) return nothing;
    const known = work.total > 0;
    const share = known ? Math.min(1, work.done / work.total) : 0;
    const left = work.secondsLeft === null ? '' : this.t.work.left(this.f.duration(work.secondsLeft));
    const passes =
      known && work.task === 'explain'
        ? this.t.work.passes(this.f.count(work.done), this.f.count(work.total))
        : known
          ? this.f.percent(share)
          : '';
    const detail = [passes, left].filter(Boolean).join(' · ');
    const name = this.t.work[work.task];
    return html`<div class="stack small">
      <div class="row">
        <span class="grow">${name}…</span>
        <span class="soft">${detail}</span>
      </div>
      <div
        class="bar ${known ? '' : 'unknown'}"
        role="progressbar"
        aria-label=${name}
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow=${known ? Math.round(share * 100) : nothing}
        aria-valuetext=${detail || nothing}
      >
        <div ${vars({ '--share': `${share * 100}%` })}></div>
      </div>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'work-bar': WorkBar;
  }
}
