import assert from "node:assert/strict";
import { hex, toHex } from "../testing/frames.ts";
import { type HeaderList, HpackDecoder, HpackEncoder, huffmanEncode, huffmanLength } from "./mod.ts";

interface Example {
  readonly name: string;
  readonly tableBytes: number;
  readonly blocks: readonly { readonly octets: string; readonly list: HeaderList; readonly tableSize: number }[];
}

const GET: HeaderList = [[":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "www.example.com"]];
const REQUESTS: HeaderList[] = [
  GET,
  [...GET, ["cache-control", "no-cache"]],
  [[":method", "GET"], [":scheme", "https"], [":path", "/index.html"], [":authority", "www.example.com"], [
    "custom-key",
    "custom-value",
  ]],
];
const RESPONSES: HeaderList[] = [
  [[":status", "302"], ["cache-control", "private"], ["date", "Mon, 21 Oct 2013 20:13:21 GMT"], [
    "location",
    "https://www.example.com",
  ]],
  [[":status", "307"], ["cache-control", "private"], ["date", "Mon, 21 Oct 2013 20:13:21 GMT"], [
    "location",
    "https://www.example.com",
  ]],
  [
    [":status", "200"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
    ["location", "https://www.example.com"],
    ["content-encoding", "gzip"],
    ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
  ],
];

function three(name: string, tableBytes: number, lists: HeaderList[], sizes: number[], octets: string[]): Example {
  return {
    name,
    tableBytes,
    blocks: lists.map((list, at) => ({ list, tableSize: sizes[at]!, octets: octets[at]! })),
  };
}

const EXAMPLES: Example[] = [
  {
    name: "C.2.1 literal with indexing",
    tableBytes: 4096,
    blocks: [{
      octets: "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
      list: [["custom-key", "custom-header"]],
      tableSize: 55,
    }],
  },
  {
    name: "C.2.2 literal without indexing",
    tableBytes: 4096,
    blocks: [{ octets: "040c 2f73 616d 706c 652f 7061 7468", list: [[":path", "/sample/path"]], tableSize: 0 }],
  },
  {
    name: "C.2.3 literal never indexed",
    tableBytes: 4096,
    blocks: [{ octets: "1008 7061 7373 776f 7264 0673 6563 7265 74", list: [["password", "secret"]], tableSize: 0 }],
  },
  { name: "C.2.4 indexed", tableBytes: 4096, blocks: [{ octets: "82", list: [[":method", "GET"]], tableSize: 0 }] },
  three("C.3 requests", 4096, REQUESTS, [57, 110, 164], [
    "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
    "8286 84be 5808 6e6f 2d63 6163 6865",
    "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
  ]),
  three("C.4 requests with Huffman", 4096, REQUESTS, [57, 110, 164], [
    "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
    "8286 84be 5886 a8eb 1064 9cbf",
    "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
  ]),
  three("C.5 responses", 256, RESPONSES, [222, 222, 215], [
    "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d " +
    "546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
    "4803 3330 37c1 c0bf",
    "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f " +
    "6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b " +
    "2076 6572 7369 6f6e 3d31",
  ]),
  three("C.6 responses with Huffman", 256, RESPONSES, [222, 222, 215], [
    "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 " +
    "8f0b 97c8 e9ae 82ae 43d3",
    "4883 640e ffc1 c0bf",
    "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 " +
    "dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
  ]),
];

for (const { name, tableBytes, blocks } of EXAMPLES) {
  Deno.test(`RFC 7541, ${name}, decodes`, () => {
    const decoder = new HpackDecoder({ tableBytes, maxListBytes: 16_384, maxFields: 100 });
    for (const { octets, list, tableSize } of blocks) {
      const block = hex(octets);
      assert.deepEqual(decoder.decode(block, 0, block.length).headers, list);
      assert.equal(decoder.table.size, tableSize);
    }
  });
}

Deno.test("the encoder writes the requests of RFC 7541, C.4, that hold only fields worth indexing", () => {
  const encoder = new HpackEncoder({ tableBytes: 4096 });
  assert.equal(toHex(encoder.encode(REQUESTS[0]!)), "828684418cf1e3c2e5f23a6ba0ab90f4ff");
  assert.equal(toHex(encoder.encode(REQUESTS[0]!)), "828684be");
});

Deno.test("Huffman code writes the strings of RFC 7541, C.6", () => {
  const strings: [string, string][] = [
    ["302", "6402"],
    ["private", "aec3771a4b"],
    ["Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"],
    ["https://www.example.com", "9d29ad171863c78f0b97c8e9ae82ae43d3"],
    ["gzip", "9bd9ab"],
  ];
  for (const [text, octets] of strings) {
    const out = new Uint8Array(huffmanLength(text));
    assert.equal(huffmanEncode(text, out, 0), out.length);
    assert.equal(toHex(out), octets);
  }
});
