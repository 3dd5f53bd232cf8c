import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';
import '../../../lib/tfjs/index.js';

setTestEnvs([{ name: 'depthwise', backendName: 'depthwise', isDataSync: true }]);
