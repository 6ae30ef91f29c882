import { keeping } from "./concurrency.ts";
import { type Mutant, mutant } from "./_mutant.ts";

export const model: readonly Mutant[] = [
  mutant("MODEL-01", {
    name: "a request that was saved sets nothing more",
    reason: "differs from the model",
    defect: () => ({
      session(real) {
        let saved = false;
        return {
          set: (key, value) => saved || real.set(key, value),
          async save(save) {
            const sent = await save();
            saved ||= sent !== null;
            return sent;
          },
        };
      },
    }),
  }),
  mutant("MODEL-02", {
    name: "a new id forgets what others have saved since",
    reason: "no order of the requests leads to this state",
    defect: (at) => keeping(at, (renewed) => renewed),
  }),
];
