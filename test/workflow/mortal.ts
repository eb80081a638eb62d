import { InvariantViolation } from "../../engine/errors.ts";

/** One life of a process: until it is killed, all that it asks of its servers is answered. */
export class ProcessLife {
  #dead = false;

  get dead(): boolean {
    return this.#dead;
  }

  kill(): void {
    this.#dead = true;
  }

  /**
   * An adapter as this life knows it. After the kill nothing that it asks for happens any more, and
   * what was under way has happened without its hearing of it, as at a SIGKILL.
   */
  of<Adapter extends object>(adapter: Adapter): Adapter {
    return new Proxy(adapter, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...given: readonly unknown[]) => {
          this.assertAlive();
          return this.#answered(Reflect.apply(member, target, given));
        };
      },
    });
  }

  assertAlive(): void {
    if (this.#dead) throw new InvariantViolation("The process was killed.");
  }

  #answered(answer: unknown): unknown {
    if (answer instanceof Promise) return this.#heard(answer);
    if (typeof answer === "object" && answer !== null && Symbol.asyncIterator in answer) {
      return this.#pages(answer as AsyncIterable<unknown>);
    }
    return answer;
  }

  async #heard(answer: Promise<unknown>): Promise<unknown> {
    const heard = await answer;
    this.assertAlive();
    return heard;
  }

  async *#pages(pages: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    for await (const page of pages) {
      this.assertAlive();
      yield page;
    }
  }
}
