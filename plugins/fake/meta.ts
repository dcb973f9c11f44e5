import { fakePlugin, type FakeStep } from "../../shared/platform_types/mod.ts";

/** What never changes about the platform, and the names of its variables; the controller tells them, too. */
export const { META, Variable } = fakePlugin;

/** Name of a step that can be made to fail or to stand still. */
export type StepName = FakeStep;
