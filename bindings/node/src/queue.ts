/** Results that wait to be taken, and those who wait to take them. */

import type { Result } from './result.js';

export class Queue {
  #results: Result[] = [];
  /** Where the next one stands: moving all of them for each one that is taken would be slow. */
  #next = 0;
  #takers: ((result: Result | undefined) => void)[] = [];
  #ended = false;

  /** How many wait to be taken. */
  get size(): number {
    return this.#results.length - this.#next;
  }

  /** Whether somebody waits for the next one. */
  get isAwaited(): boolean {
    return this.#takers.length > 0;
  }

  push(result: Result): void {
    const taker = this.#takers.shift();
    if (taker) taker(result);
    else this.#results.push(result);
  }

  /** The oldest result, as soon as there is one; undefined when none will come any more. */
  async take(): Promise<Result | undefined> {
    if (this.size === 0) {
      return this.#ended ? undefined : new Promise((resolve) => this.#takers.push(resolve));
    }
    const result = this.#results[this.#next++];
    if (2 * this.#next > this.#results.length) {
      this.#results = this.#results.slice(this.#next);
      this.#next = 0;
    }
    return result;
  }

  /** Nothing will be pushed any more. */
  end(): void {
    this.#ended = true;
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }
}
