// What a device has to know to compare Chinese names as the server does: how common characters
// of names are read, which traditional characters they stand for, which surnames sound alike.
// tests/core/search/test_on_the_device.py compares it with eventreg/core/values.

// Each syllable with its characters.
const READ = (
  "a阿 ai艾爱 an安 ao敖 ba巴爸 bai柏白 ban班 bao鲍包暴薄宝堡 bei贝蓓北 ben贲 bi毕 bian卞边 " +
  "bie别 bin斌彬 bing邴 bo卜波博伯 bu步 cai蔡财才彩 cang苍 cao曹草 cen岑 cha查 chai柴 " +
  "chang昌常长 chao晁巢朝超 che车 chen陈晨辰 cheng成程城诚 chi池迟 chong充冲 chou仇 chu褚储 " +
  "chuan川 chun春 cong从 cui崔翠 da大达 dai戴 dan单 dang党 de德 deng邓 di狄翟娣地弟迪 diao刁 " +
  "ding丁定 dong董东冬动 dou窦都 du杜堵 duan段 dui兑 duo多 e鄂娥 er儿 fa发 fan范樊繁 " +
  "fang方房芳 fei费飞菲 fen芬 feng冯凤酆封丰峰锋 fu傅伏富符扶福芙 gai盖 gan干甘 gang刚钢 " +
  "gao高郜 ge葛戈哥 gen根艮 geng耿 gong龚弓宫贡巩公功 gou勾 gu顾谷古姑 guan管关官 guang广光 " +
  "gui桂贵 guo郭国果 hai海 han韩阚瀚 hang杭 hao郝浩 he何贺和荷河鹤 hei黑 heng衡恒亨 " +
  "hong洪弘红鸿宏虹 hou侯后厚 hu胡扈虎狐 hua华花滑画 huai怀 huan宦桓欢 huang黄 hui惠辉慧蕙 " +
  "huo霍 ji计纪季吉嵇汲蓟籍姬冀暨绩 jia贾家郏嘉佳 jian简健建俭 jiang蒋姜江 jiao焦娇姣 " +
  "jie解界姐婕 jin金靳锦瑾进 jing经井景荆静婧 jiu久 ju居鞠菊 juan娟 jun俊军钧骏均君峻隽浚 " +
  "kai凯开 kan坎 kang康 ke柯 kong孔空 kou寇 kuan宽 kuang匡 kui隗夔 kun坤 la拉 lai赖来 lan蓝兰 " +
  "lang郎 lao劳 le乐 lei雷磊蕾 leng冷 li李厉黎郦利励丽礼立力离 lian廉连莲 liang梁亮良粮谅量 " +
  "liao廖 lin林蔺琳 ling凌玲铃令 liu柳刘 long龙隆珑 lou娄 lu鲁路卢陆禄逯露璐 luan栾 luo罗骆 " +
  "lv吕绿律 ma马麻妈 mai买 man满 mao毛茅茂 mei梅妹美 meng孟蒙 mi米糜宓 miao苗 min闵民敏 " +
  "ming明铭鸣 mo莫模 mou缪 mu穆牧慕木 na那娜 nai奶 nan囡南男 neng能 ni倪妮霓 nian年 niang娘 " +
  "nie聂 ning宁 niu钮牛 nong农 nv女 ou欧 pan潘 pang庞逄 pei裴培 peng彭蓬鹏朋 pi皮 pin品 " +
  "ping平苹萍 pu蒲濮浦朴 qi戚齐祁琪气启俟 qian钱茜前倩乾 qiang强 qiao乔 qin秦琴芹勤 " +
  "qing庆清青 qiong琼 qiu邱裘秋 qu屈曲璩瞿区 quan全权泉 que阙 ran冉 rao饶 ren任仁 ri日 " +
  "rong荣戎容融蓉 ru茹 ruan阮 rui芮瑞 san三 sang桑 sen森 sha沙 shan山善姗 shang尚上 " +
  "shao邵韶少 shen沈莘申慎深 sheng盛生胜声 shi施史时石师诗世示 shou寿 shu舒束殳淑书叔姝 " +
  "shuang双霜 shui水 shun顺 si司思 song宋松 su苏宿素 sui岁 sun孙 suo索 tai邰泰 tan谈谭覃 " +
  "tang唐汤堂 tao陶桃涛 teng滕 ti提 tian田天 tie铁 ting婷庭 tong童通仝桐铜 tou钭 tu屠土 " +
  "wan万婉 wang王汪旺 wei卫魏韦危蔚伟薇为尉 wen闻温文 weng翁 wo沃 wu吴邬伍巫乌武毋 " +
  "xi奚席郗习曦西喜 xia夏霞 xian咸仙娴 xiang项向相香祥翔 xiao萧晓小孝 xie谢 xin辛忻新鑫信心 " +
  "xing邢幸星兴杏行 xiong熊 xiu秀 xu许徐胥须 xuan宣旋 xue薛雪学 xun荀巽 ya亚 " +
  "yan严颜燕晏阎岩雁妍嫣艳 yang杨羊仰养阳样 yao姚瑶 ye叶爷业 yi羿伊易益毅义意怡仪 " +
  "yin殷尹印阴银音 ying应英瑛莹颖莺影映 yong雍勇永 you尤游友有 yu喻俞于余禹虞郁鱼庾玉瑜裕宇 " +
  "yuan袁元远圆媛 yue越月悦岳 yun云芸韵 zai宰 zan昝 zang臧 zeng曾 zhan湛詹展 zhang张章 " +
  "zhao赵招 zhen甄珍贞震真 zheng郑正 zhi支志芝芷智之 zhong钟仲终中忠 zhou周宙 zhu朱祝诸竺珠竹 " +
  "zhuang庄 zhuo卓 zi紫子 zong宗 zou邹 zu祖 zuo左作 "
);

// Characters that are read differently as a surname.
const SURNAMES = (
  "乐yue 仇qiu 区ou 单shan 卜bu 朴piao 查zha 盖ge 繁po 缪miao 翟zhai 能nai 覃qin 解xie 都du " +
  "长zhang 阚kan 隗wei 黑he "
);

// Surnames of two characters.
const COMPOUND = (
  "欧阳ouyang 司马sima 上官shangguan 诸葛zhuge 司徒situ 夏侯xiahou 尉迟yuchi 万俟moqi " +
  "长孙zhangsun 皇甫huangfu 令狐linghu 慕容murong 东方dongfang 公孙gongsun 宇文yuwen " +
  "端木duanmu 轩辕xuanyuan 南宫nangong 独孤dugu 澹台tantai 单于chanyu 呼延huyan 闻人wenren " +
  "钟离zhongli 东郭dongguo 西门ximen 濮阳puyang 淳于chunyu 申屠shentu 赫连helian 鲜于xianyu " +
  "闾丘lvqiu 司空sikong 司寇sikou 百里baili 拓跋tuoba 完颜wanyan 纳兰nalan 公羊gongyang " +
  "谷梁guliang 宗政zongzheng 公冶gongye "
);

// A traditional character, then the simplified one.
const PAIRS = (
  "亞亚來来偉伟傢家儀仪儉俭儲储兌兑兒儿兪俞凱凯別别剛刚劉刘動动勝胜勞劳勵励區区厲厉吳吴呂吕" +
  "啓启啟启喬乔單单嚴严國国圓圆壽寿姍姗婁娄媽妈嫺娴嫻娴嬌娇孫孙學学宮宫寧宁寬宽寶宝師师幹干" +
  "廣广張张強强從从恆恒悅悦愛爱愼慎慶庆應应時时暎映曉晓書书東东楊杨業业榮荣樂乐樣样樸朴權权" +
  "欒栾歐欧歡欢歲岁氣气沖冲淸清湯汤溫温滿满濤涛為为烏乌爺爷瑤瑶瑩莹瓊琼畢毕盧卢祿禄禮礼穎颖" +
  "範范簡简紀纪紅红終终經经綠绿繆缪羅罗義义習习聲声聶聂興兴艷艳莊庄華华萬万葉叶蒼苍蓋盖蓮莲" +
  "蔣蒋蕭萧藍蓝藺蔺蘇苏蘋苹蘭兰衛卫計计許许詩诗誠诚談谈諒谅諸诸謝谢譚谭豐丰貝贝貞贞財财貢贡" +
  "貴贵買买賀贺賈贾賴赖趙赵車车軍军輝辉農农連连進进達达遠远遲迟郟郏鄒邹鄔邬鄧邓鄭郑鈕钮鈞钧" +
  "鈴铃銀银銅铜銘铭鋒锋鋼钢錦锦鍾钟鐘钟鐵铁長长開开閔闵閻阎關关陰阴陳陈陸陆陽阳雙双離离雲云" +
  "靑青靜静韋韦韓韩韻韵順顺須须顏颜顧顾養养餘余饒饶馬马馮冯駱骆駿骏髮发魚鱼魯鲁鮑鲍鳳凤鳴鸣" +
  "鴻鸿鵬鹏鶯莺鶴鹤鹹咸麗丽黃黄黨党鼕冬齊齐龍龙龐庞龔龚"
);

const given = {};
READ.trim().split(" ").forEach(one => {
  const [, syllable, characters] = /^([a-z]+)(.+)$/.exec(one);
  Array.from(characters).forEach(c => { given[c] = syllable; });
});
const surnames = {};
(SURNAMES + COMPOUND).trim().split(" ").forEach(one => {
  const [, characters, syllable] = /^([^a-z]+)([a-z]+)$/.exec(one);
  surnames[characters] = syllable;
});
const simple = {};
Array.from(PAIRS).forEach((c, i, all) => { if (i % 2) simple[all[i - 1]] = c; });

// These sound alike in the dialect of the coast, or where it is noisy.
export const ALIKE = [
  "wang huang", "wu hu he", "chen cheng", "lin ling", "jin jing", "shen sheng", "xin xing",
  "yin ying", "zhang zang", "xu xue", "shi si", "zhu zu", "lu lv",
].map(group => group.split(" "));

// The text in simplified characters.
export function simplified(text) {
  return Array.from(text, c => simple[c] || c).join("");
}

// How a given name is read, in syllables; null if a character is not known.
export function givenRead(text) {
  const read = Array.from(text, c => given[c] || (/[a-z]/.test(c) ? c : ""));
  return read.every(Boolean) ? read : null;
}

// How a name is read: [surname, given name], or null.
export function nameRead(text) {
  const two = text.length > 2 ? surnames[text.slice(0, 2)] : undefined;
  const surname = two || surnames[text[0]] || given[text[0]];
  const rest = givenRead(text.slice(two ? 2 : 1));
  return surname && rest ? [surname, rest.join("")] : null;
}
