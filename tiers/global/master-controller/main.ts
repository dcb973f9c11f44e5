import { runService } from "../../../shared/service/mod.ts";
import { masterControllerService } from "./service.ts";

if (import.meta.main) await runService(masterControllerService);
