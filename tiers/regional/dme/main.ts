import { runService } from "../../../shared/service/mod.ts";
import { dmeService } from "./service.ts";

if (import.meta.main) await runService(dmeService);
