import { runService } from "../../../shared/service/mod.ts";
import { crmService } from "./service.ts";

await runService(crmService);
